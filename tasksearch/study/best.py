"""`best_of`: a study's verdict, from its folder; and `rules_of`: the selection rules side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tasksearch.core.arguments import named_arguments
from tasksearch.core.errors import StudyNotReady, UnknownName
from tasksearch.core.folders import AnyPath
from tasksearch.core.score import ENGLISH, ScoreTable
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.records.ledger import Ledger
from tasksearch.results.verdict import RULES, Verdict
from tasksearch.study.coverage import check_languages, scored_name
from tasksearch.study.own_parts import picker_of
from tasksearch.study.settings import warning_of
from tasksearch.tasks.labels import suite_with_labels
from tasksearch.tasks.suite import Suite


@named_arguments
def best_of(
    folder: AnyPath,
    *,
    rule: str | None = None,
    languages: Sequence[str] | None = None,
    target: str | None = None,
    study: tuple[Any, list[TrialRecord]] | None = None,
) -> Verdict:
    """Return the best mix per language, and whether the search was worth its cost.

    The question is recorded in the study's holdout log; a second look at the same reporting examples, by another rule or for
    another choice, is marked adaptive: see `records.holdout_log`.

    Args:
        folder: the study's folder.
        rule: `pivot-dev`, `english-dev` or `target-dev`; None: the study's own.
        languages: rows to return, languages by any of their codes; None: all.
        target: choose and report on this target alone; None: on all targets of the study.
        study: the result of `read_study` for that target, if it was called already.

    Raises:
        StudyNotReady: no study, no baseline, or no finalist yet.
        UnknownName: an unknown rule, language or target.
    """
    from tasksearch.analysis.baseline_comparison.comparison import compare_with_baselines
    from tasksearch.analysis.picking import choose
    from tasksearch.analysis.selection_rules import small_sets
    from tasksearch.analysis.study_analysis import as_rule

    folder = Path(folder)
    config = Ledger(folder).config()
    asked_rule = as_rule(rule or config.select)
    reading, records = study or read_study(folder, languages, target=target, config=config)
    if languages is not None:
        languages = [scored_name(one, reading.scored_languages) for one in languages]
    verdict = choose(reading, asked_rule, languages)  # first: a rule that cannot choose here has asked nothing
    asked = ask_question(folder, reading, records, asked_rule, target=target)
    # the search was for all targets: whether it was worth its cost is not a question about one of them
    comparison = None if target else compare_with_baselines(reading, records, asked_rule)
    if comparison is not None and (transfer := config.transfer) is not None:
        comparison = dataclasses.replace(comparison, earlier=transfer.study)
    return dataclasses.replace(
        verdict, baseline_comparison=comparison, adaptive=asked.adaptive, small=small_sets(reading), target=target or ""
    )


def verdict_of(folder: AnyPath, *, languages: Sequence[str] | None = None, target: str | None = None) -> Verdict:
    """Return `best_of` by the study's own rule.

    If that is pivot-dev and the study has one language, which leaves no other language to choose on, english-dev chooses.

    Raises:
        As `best_of`.
    """
    try:
        return best_of(folder, languages=languages, target=target)
    except StudyNotReady:
        if Ledger(Path(folder)).config().select != "pivot-dev":
            raise
        return best_of(folder, rule="english-dev", languages=languages, target=target)


def rules_of(folder: Path, *, rule: str | None = None) -> Any:
    """Return every selection rule's choice and regret: a `results.selection_rules.RuleTable`.

    The headline stays the rule that was asked for first. Since this table shows the reporting gains of every rule's choice, it
    is recorded in the holdout log (`records.holdout_log.EVERY_RULE`), and a rule that is asked for later counts as adaptive.

    Raises:
        As `best_of`.
    """
    from tasksearch.analysis.selection_rules import rule_table
    from tasksearch.analysis.study_analysis import as_rule
    from tasksearch.records.holdout_log import EVERY_RULE, ask, headline, holdout_uses

    reading, records = read_study(folder)
    if headline(holdout_uses(folder)) is None:
        ask_question(folder, reading, records, as_rule(rule or Ledger(folder).config().select))
    choices = {f"{name} by {each}": mix for each in RULES for name, mix in _choices(reading, as_rule(each)).items()}
    ask(folder, EVERY_RULE, choices, reading.evidence.cells, complete=is_complete(folder, reading, records))
    return rule_table(reading)


def read_study(
    folder: Path,
    languages: Sequence[str] | None = None,
    *,
    target: str | None = None,
    config: StudyConfig | None = None,
    records: list[TrialRecord] | None = None,
    outcomes: Any = None,
) -> tuple[Any, list[TrialRecord]]:
    """Read a study's evidence, an `analysis.study_analysis.StudyAnalysis`, and its records.

    Args:
        folder: the study's folder.
        languages: languages that must be covered.
        target: the one target whose scores are read; None: all.
        config, records, outcomes: the study's, if they were read already; `outcomes` is a function like `Ledger.outcomes`.

    Raises:
        StudyNotReady: no study, no baseline, or no finalist yet.
        LanguageNotCovered: a language that was not scored, with the targets of its suite that would cover it.
        UnknownName: the study has no such target.
    """
    from tasksearch.analysis.clustering import Documents
    from tasksearch.analysis.study_analysis import analyse_study

    ledger = Ledger(folder)
    config = config or ledger.config()
    suite = suite_with_labels(config.suite, config.data)
    records = ledger.records() if records is None else records
    if target is not None:
        if target not in config.targets:
            raise UnknownName("target of the study", target, config.targets)
        records, of_all = [_scored_on(record, target) for record in records], outcomes or ledger.outcomes
        outcomes = cache(lambda number: {cell: each for cell, each in of_all(number).items() if cell[0] == target})
    check_languages(suite, config.targets if target is None else (target,), records, languages or ())
    reading = analyse_study(
        records,
        outcomes or ledger.outcomes,
        suite.groups,
        language_groups=suite.language_groups,
        objective=config.objective,
        same_data=suite.same_data,
        documents=Documents.reporting(ledger.documents()),
        picker=picker_of(config),
        designs=design_names_of(ledger, config),
        chance=suite.chance_over([ENGLISH]),
        guesses=config.guesses,
    )
    return reading, records


def design_names_of(ledger: Any, config: StudyConfig) -> Any:
    """What the designed trials of a study are called, those of narrower spaces that it had before included."""
    from tasksearch.search.design_names import DesignNames

    spaces = dict.fromkeys(one.space for one in (*ledger.history(), config))
    return DesignNames.of(spaces, ledger.sizes())


def open_study(folder: Path) -> tuple[StudyConfig, Suite, list[TrialRecord]]:
    """Return a study's configuration, its suite with the study's own warnings, and the records of its trials."""
    config, suite = open_suite(folder)
    return config, suite, Ledger(folder).records()


def open_suite(folder: Path) -> tuple[StudyConfig, Suite]:
    """Return a study's configuration, and its suite with the study's own warnings."""
    config = Ledger(folder).config()
    suite = suite_with_labels(config.suite, config.data)
    return config, dataclasses.replace(suite, warning=warning_of(suite, config, folder))


def _scored_on(record: TrialRecord, target: str) -> TrialRecord:
    """Return the record with its scores on that target alone."""
    return dataclasses.replace(record, scores=ScoreTable.of(score for score in record.scores if score.target == target))


def ask_question(folder: Path, reading: Any, records: Sequence[TrialRecord], rule: Any, *, target: str | None = None) -> Any:
    """Record the question in the holdout log, always for the whole table: a single language shown is a part of it.

    A question about one target is a part of the rule's own question if it chose the same mixes; otherwise it is another one.
    Nothing is recorded if the rule has nothing to choose on in some language, since no reporting example is then read.

    Raises:
        StudyNotReady: the rule has nothing to choose on in some language.
    """
    from tasksearch.records.holdout_log import ask, part_of_earlier

    for row in reading.rows():
        if not row.is_group:
            reading.rank(row, rule)
    complete = is_complete(folder, reading, records)
    choices = _choices(reading, rule)
    if target is not None:
        if (whole := part_of_earlier(folder, rule, choices)) is not None:
            return whole
        rule = f"{rule} for {target}"
    return ask(folder, rule, choices, reading.evidence.cells, complete=complete)


def is_complete(folder: Path, reading: Any, records: Sequence[TrialRecord]) -> bool:
    """Return whether all finalists are trained on fresh seeds, no trial is running, and no addition is missing."""
    from tasksearch.records.additions import lacking

    ledger = Ledger(folder)
    config = ledger.config()
    if ledger.history() and lacking(ledger.written(), ledger.additions(), config):
        return False
    leaders = min(config.leaders, len(reading.evidence.table.firsts))
    return len(reading.evidence.candidates) >= leaders and all(record.status != "running" for record in records)


def _choices(reading: Any, rule: Any) -> dict[str, str]:
    """Return row → signature of the mix that the rule chooses; `none` where it has nothing to choose on."""
    from tasksearch.records.holdout_log import NOTHING

    choices: dict[str, str] = {}
    for row in reading.rows():
        try:
            choices[row.name] = reading.rank(row, rule).candidates[0].first.plan.mix_signature
        except StudyNotReady:
            choices[row.name] = NOTHING
    return choices
