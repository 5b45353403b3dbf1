"""`write_report`: write a study's HTML report, one page. The report of a study that is still running is partial."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tasksearch.analysis.clustering import Documents
from tasksearch.analysis.evidence import OutcomesOf, Reader
from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.core.score import ENGLISH
from tasksearch.core.study import AFTERWARDS, SEARCHED, StudyConfig, TrialRecord
from tasksearch.reports.data import ReportData
from tasksearch.results.portfolio import Portfolios
from tasksearch.results.task_effects import TaskEffects
from tasksearch.results.verdict import Verdict
from tasksearch.study.best import best_of, read_study
from tasksearch.study.configuration import command_of
from tasksearch.study.contrasts import Contrasts
from tasksearch.study.matched_comparison import order_of
from tasksearch.study.obtained import rule_shares
from tasksearch.study.portfolio import first_rules, portfolios_of
from tasksearch.study.run_links import run_links
from tasksearch.study.settings import warning_of
from tasksearch.study.task_effects import why_from
from tasksearch.study.transfer import correlated
from tasksearch.tasks.labels import suite_with_labels
from tasksearch.tasks.suite import Suite

FILE = "report.html"
"""Name of the report in the study's folder, and of its copy at the tracker."""


def write_report(folder: Path, out: Path | None = None) -> tuple[Path, ReportData]:
    """Write the report, completely or not at all; return its path and contents.

    The default path is `report.html` in the study's folder, or `NAME-report.html` in the working directory if the folder
    cannot be written.

    Raises:
        StudyNotReady: there is no study, or none of its trials is finished.
    """
    from tasksearch.core.atomic import write_atomic
    from tasksearch.reports.page import render

    data = report_of(folder)
    path, page = out or folder / FILE, render(data).encode()
    try:
        write_atomic(path, page)
    except BadInput:
        if out is not None:
            raise
        path = Path(f"{data.config.name}-{FILE}")
        write_atomic(path, page)
    return path, data


def report_of(folder: Path) -> ReportData:
    """Gather the report's contents.

    Raises:
        StudyNotReady: there is no study, or none of its trials is finished.
    """
    from tasksearch.records.ledger import Ledger
    from tasksearch.search.fidelity import at_share

    ledger = Ledger(folder)
    config, records = ledger.config(), ledger.records()
    done = [record for record in records if record.status == "done"]
    if not done:
        raise StudyNotReady(f"no trial of {folder} is finished yet; a report needs one: `tasksearch resume {folder}` goes on")
    suite = suite_with_labels(config.suite, config.data)
    outcomes = Reader(ledger.outcomes)
    documents = Documents.reporting(ledger.documents())
    contrasts, whole = (
        Contrasts.of(at_share(records, share), outcomes, suite.groups, documents, config.guesses)
        for share in (config.search_target_steps, 1.0)
    )
    found = _found(folder, records, outcomes)
    order, order_pending = order_of(folder, records)
    return ReportData(
        config=config,
        records=tuple(records),
        verdict=found.verdict,
        pending=found.pending,
        portfolios=found.portfolios,
        why=_why(config, records, suite, found.table),
        warning=warning_of(suite, config, folder),
        same_data=suite.same_data,
        language_groups=suite.language_groups,
        singles=contrasts.singles(),
        pairs=contrasts.pairs(),
        bests=contrasts.bests(),
        rule_shares=rule_shares(records, ledger.sizes()),
        references=whole.references(
            suite.chance_over(language for language in config.languages if language != ENGLISH),
            [r for r in done if str(r.role) == "untrained"],
        ),
        order=order,
        order_pending=order_pending,
        transfer=correlated(config, suite.groups, records),
        planned=planned(config, records),
        command=command_of(config, folder),
        versions=versions_of(records),
        run_links=run_links(folder, config, [record.number for record in records]),
        made=datetime.now().astimezone().isoformat(sep=" ", timespec="minutes"),
    )


def planned(config: StudyConfig, records: list[TrialRecord]) -> int:
    """Return the number of trainings of the complete study: exact once a finalist has fresh seeds, until then an upper bound.

    Finalists in a race get further seeds: the most each are assumed until the first finalist starts, afterwards only those
    that have been started.
    """
    from tasksearch.search.common_seeds import further_baseline, lacking
    from tasksearch.search.controls import controls_now, most_controls
    from tasksearch.search.matched_pairs import matched_trials, matched_trials_now

    after = AFTERWARDS + (("baseline",) if config.is_short else ())
    searched = [record for record in records if record.role not in after]
    if len(searched) == len(records):
        leaders = config.leaders * config.seed_limit + config.whole_baseline + further_baseline(config)[1]
        most = max(config.trials, len(searched)) + leaders + config.untrained + most_controls(config) + matched_trials(config)
        return min(most, config.max_trainings or most)
    judged = {r.plan.mix_signature for r in searched if r.role in SEARCHED and r.objective is not None}
    begun = sum(record.role == "finalist" for record in records)
    beside = controls_now(config, records) + matched_trials_now(config, records) + config.untrained + lacking(records)
    beside += max(config.whole_baseline, sum(record.role == "baseline" for record in records)) if config.is_short else 0
    return len(searched) + max(min(config.leaders, len(judged)) * config.leader_seeds, begun) + beside


def versions_of(records: list[TrialRecord]) -> Mapping[str, str]:
    """Return name → version that the finished trials ran on, several if they differ, and the version that makes the report."""
    from tasksearch import __version__

    found: dict[str, dict[str, None]] = {}
    for record in records:
        for name, value in record.facts:
            found.setdefault(name, {})[value] = None
    return {"tasksearch (this report)": __version__} | {name: ", ".join(values) for name, values in sorted(found.items())}


def _why(config: StudyConfig, records: Sequence[TrialRecord], suite: Suite, table: Any) -> TaskEffects | None:
    """Return the task effects; None while there are too few mixes.

    Args:
        table: gains of the trained mixes, if already computed.
    """
    try:
        found: TaskEffects = why_from(config, records, suite, table)
    except StudyNotReady:
        return None
    return found


@dataclass(frozen=True, kw_only=True)
class _Found:
    verdict: Verdict | None = None
    pending: str = ""
    portfolios: Portfolios | None = None
    table: Any = None


def _found(folder: Path, records: list[TrialRecord], outcomes: OutcomesOf) -> _Found:
    """Return verdict and portfolios, from a single analysis of the study."""
    try:
        study = read_study(folder, records=records, outcomes=outcomes)
    except StudyNotReady as early:
        return _Found(pending=f"No verdict yet: {early}.")
    verdict, pending = _verdict(folder, study)
    found = _Found(verdict=verdict, pending=pending, table=study[0].evidence.table)
    if verdict is None:
        return found
    try:
        return dataclasses.replace(found, portfolios=portfolios_of(folder, study=study, ask=False))
    except StudyNotReady:
        return found


def _verdict(folder: Path, study: tuple[Any, list[TrialRecord]]) -> tuple[Verdict | None, str]:
    """Return the verdict by the rule that was asked for first; None with the reason if there is no verdict.

    A study that was never asked is asked by its own rule, or else by the first that can choose: with one language pivot-dev has
    nothing to read. So a report asks no second question, unless the study has grown and chooses otherwise now.
    """
    from tasksearch.records.holdout_log import headline, holdout_uses

    asked = headline(holdout_uses(folder))
    reasons = []
    for rule in (asked,) if asked else first_rules(folder):
        try:
            return best_of(folder, rule=rule, study=study), ""
        except StudyNotReady as nothing:
            reasons.append(str(nothing))
    return None, f"No verdict yet: {reasons[0]}."
