"""Choose the best mix per language on one set of trainings and examples, and report it on another.

The winner's curse has two sources here, and both are excluded. No example both selects and reports. And a training that is
lucky on selection examples is lucky on reporting examples too, since both see the same seed: so the choice reads the search's
trainings alone, and the report reads the finalists' fresh seeds alone. The price is a choice from fewer seeds, so sometimes a
good mix instead of the best one; the number printed beside it is free of selection either way.

Candidates are the mixes that were trained again on fresh seeds (role `finalist`). The choice among them reads scores that the
surrogate has shrunk: all mixes of the search together show how much of a mix's score was luck. By pivot-dev and english-dev the
surrogate is given the cells that the rule allows and no others; by target-dev a language's own cells, which borrow strength
from the other languages'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tasksearch.analysis.baseline_comparison.rows import exposure_of
from tasksearch.analysis.clustering import Documents
from tasksearch.analysis.estimates import Cell, probability_positive
from tasksearch.analysis.evidence import Candidate, OutcomesOf
from tasksearch.analysis.many_rows import marked_choices
from tasksearch.analysis.picker import Picker
from tasksearch.analysis.study_analysis import AnalysisRow, StudyAnalysis, analyse_study, as_rule, cell_weights
from tasksearch.core.mixture import base_task
from tasksearch.core.study import Guesses, Objective, TrialRecord
from tasksearch.results.verdict import Choice, Rule, TargetResult, Verdict, finding_of
from tasksearch.search.collapse import not_trained

__all__ = ["cell_weights", "choose", "pick"]


def pick(
    records: Sequence[TrialRecord],
    outcomes: OutcomesOf,
    groups: Mapping[str, str],
    *,
    rule: str = "pivot-dev",
    languages: Sequence[str] | None = None,
    language_groups: Mapping[str, Sequence[str]] | None = None,
    objective: Objective | None = None,
    same_data: Iterable[tuple[str, str]] = (),
    level: float = 0.95,
    documents: Documents | None = None,
    picker: Picker | None = None,
    guesses: Guesses = (),
) -> Verdict:
    """Choose the best mix per language by the rule, and estimate its gain on examples and seeds that did not choose it.

    Args:
        records: of the whole study, in any order.
        outcomes: per-example outcomes of a trial; read for the baseline and the finalists.
        groups: target → group of targets (classification, tagging, qa, retrieval).
        rule: one of `RULES`.
        languages: rows wanted; None: every language but English, then `all` and the language groups.
        language_groups: name → languages, such as `low-resource`; names may be asked for in `languages` too.
        objective: what the search maximised: it decides which labels made the list of finalists.
        same_data: (intermediate task, target) pairs that share training data.
        level: of the intervals.
        documents: of the reporting examples, over which intervals are clustered; None: the study kept none.
        picker: the user's own; None: the shrunken scores choose.
        guesses: `StudyConfig.guesses`, by which collapsed trainings are told.

    Raises:
        UnknownName: no such rule, language or group.
        StudyNotReady: no baseline, no finalist, or nothing to choose on.
    """
    asked = as_rule(rule)
    analysis = analyse_study(
        records,
        outcomes,
        groups,
        language_groups=language_groups,
        objective=objective,
        same_data=same_data,
        level=level,
        documents=documents,
        picker=picker,
        guesses=guesses,
    )
    return choose(analysis, asked, languages)


def choose(analysis: StudyAnalysis, rule: Rule, languages: Sequence[str] | None = None) -> Verdict:
    """Do what `pick` does, from evidence that is gathered already."""
    choices = [_choice(analysis, rule, row) for row in analysis.rows(languages)]
    evidence = analysis.evidence
    trained = [("no intermediate phase", evidence.lost, evidence.baseline_every)]
    trained += [(str(one.first.plan.schedule), one.lost, one.every) for one in evidence.candidates]
    return Verdict(
        rule=rule,
        level=analysis.level,
        choices=marked_choices(choices, analysis.level),
        candidates=len(evidence.candidates),
        collapsed_baseline=evidence.lost,
        incomplete=evidence.incomplete,
        guessing=evidence.guessing,
        not_trained=not_trained(evidence.dev, analysis.chance, evidence.dev_examples),
        collapse_rates=tuple((name, len(lost), len(every.seeds)) for name, lost, every in trained if lost),
    )


def _choice(analysis: StudyAnalysis, rule: Rule, row: AnalysisRow) -> Choice:
    evidence, ranking = analysis.evidence, analysis.rank(row, rule)
    chosen, second = ranking.candidates[0], ranking.candidates[1] if len(ranking.candidates) > 1 else None
    weights, gain = analysis.report_weights(row), analysis.gain(chosen, row)
    own = [cell for cell in evidence.dev_examples if cell[1] in row.languages]
    lead = analysis.estimate(chosen.arm, weights, minus=second.arm) if second else None
    expected, error = ranking.expected(chosen)
    return Choice(
        name=row.name,
        is_group=row.is_group,
        languages=row.languages,
        rule=ranking.rule,
        schedule=chosen.first.plan.schedule,
        mix_signature=chosen.first.plan.mix_signature,
        score=analysis.estimate(chosen.arm, weights),
        baseline=analysis.estimate(evidence.baseline, weights),
        gain=gain,
        finding=finding_of(gain),
        targets=tuple(_target(analysis, chosen, target, weights) for target in sorted({t for t, _ in weights})),
        seeds=len(chosen.arm.seeds),
        baseline_seeds=len(evidence.baseline.seeds),
        labels=sum(evidence.dev_examples[cell] for cell in own if cell in ranking.basis),
        shortlist_labels=sum(evidence.dev_examples[cell] for cell in own if cell in evidence.shortlist),
        trials=chosen.trials,
        better=probability_positive(gain, analysis.level),
        expected=expected if analysis.has_surrogate else None,
        expected_error=error if analysis.has_surrogate else None,
        runner_up=second.first.plan.schedule if second else None,
        lead=lead,
        ahead=probability_positive(lead, analysis.level) if lead else None,
        collapsed=chosen.lost,
        gain_of_all_runs=analysis.gain_of_all_runs(chosen, row),
    )


def _target(analysis: StudyAnalysis, chosen: Candidate, target: str, report: Iterable[Cell]) -> TargetResult:
    cells = [cell for cell in report if cell[0] == target]
    weights = dict.fromkeys(cells, 1 / len(cells))
    gain = analysis.estimate(chosen.arm, weights, minus=analysis.evidence.baseline)
    exposure = exposure_of(analysis, chosen)
    return TargetResult(
        target=target,
        group=analysis.groups[target],
        languages=tuple(language for _, language in cells),
        score=analysis.estimate(chosen.arm, weights),
        baseline=analysis.estimate(analysis.evidence.baseline, weights),
        gain=gain,
        finding=finding_of(gain),
        same_data=any((base_task(task), target) in analysis.same_data for task in chosen.first.plan.schedule.tasks),
        over_exposure=analysis.estimate(chosen.arm, weights, minus=exposure.arm) if exposure else None,
    )
