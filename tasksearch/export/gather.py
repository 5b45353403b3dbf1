"""Gather the facts of an export from a trained plan and its study."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasksearch.analysis.clustering import Documents
from tasksearch.analysis.estimates import CandidateOutcomes, Cell, estimate
from tasksearch.analysis.evidence import Evidence, gather
from tasksearch.analysis.picker import WANTED
from tasksearch.analysis.picking import pick
from tasksearch.core.errors import StudyNotReady
from tasksearch.core.mixture import base_task
from tasksearch.core.own_files import referred
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Half
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.export.facts import FactRow, Facts, Origin
from tasksearch.records.ledger import Ledger
from tasksearch.records.mix_file import schedule_toml
from tasksearch.results.verdict import RULES, Verdict
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.suite import Suite

Outcomes = Mapping[tuple[str, str, Half], npt.NDArray[np.float32]]
Numbers = Mapping[tuple[str, str, Half], npt.NDArray[np.int64]]


def facts_of(
    plan: Plan,
    suite: Suite,
    target: str | None,
    architecture: str,
    outcomes: Outcomes,
    *,
    base: str,
    versions: Mapping[str, str],
    command: str,
    documents: Numbers | None = None,
    study: Path | None = None,
    record: TrialRecord | None = None,
    same: bool = False,
) -> Facts:
    """Gather everything that the card contains.

    Args:
        outcomes: of the exported model on selection and reporting examples.
        base: hub id or folder name of phase 1.
        versions: `RunContext.facts()` and this package's version.
        documents: number of each example's document, in the order of the outcomes.
        study: folder of the study the mix comes from.
        record: the study's own training of the mix.
        same: whether that was of this same plan, so that its outcomes must be equal.
    """
    card = suite.card(target) if target is not None else None
    fingerprint = versions["model"]
    tasks = {base_task(task) for task in plan.schedule.tasks}
    return Facts(
        target=card,
        architecture=architecture,
        plan=plan,
        mix=schedule_toml(plan.schedule),
        data=_trained_on([suite.card(task) for task in plan.schedule.tasks], card),
        base=base,
        fingerprint=fingerprint,
        warning=suite.warning,
        same_data=tuple(task for task, of in suite.same_data if of == target and task in tasks),
        scores=own_rows(outcomes, suite, documents),
        chance={name: suite.card(name).chance for name in plan.targets},
        origin=origin_of(study, record, suite, plan, outcomes, same=same) if study is not None and record is not None else None,
        command=command,
        versions={name: value for name, value in versions.items() if name != "model"},
    )


def own_rows(outcomes: Outcomes, suite: Suite, documents: Numbers | None = None) -> tuple[FactRow, ...]:
    """Compute the scores of one model on the reporting examples.

    Intervals over examples alone, clustered where their documents are known.
    """
    cells = sorted((target, language) for target, language, half in outcomes if half == "report")
    one = CandidateOutcomes(
        seeds=({cell: outcomes[(*cell, "report")] for cell in cells},),
        fixed=frozenset(target for target, _ in cells),
        documents=Documents.reporting(documents or {}),
    )
    return tuple(_row(suite, cell, one) for cell in cells)


def _row(
    suite: Suite,
    cell: Cell,
    arm: CandidateOutcomes,
    minus: CandidateOutcomes | None = None,
    pool: Sequence[CandidateOutcomes] = (),
) -> FactRow:
    found = estimate(arm, {cell: 1.0}, minus=minus, pool=pool)
    if not (
        found.seed_error or found.example_error
    ):  # all answers right, or all wrong, does not mean that the score is certain
        found = dataclasses.replace(found, low=None, high=None)
    elif minus is None and found.low is not None and found.high is not None:  # a score is a percentage
        found = dataclasses.replace(found, low=max(0.0, found.low), high=min(100.0, found.high))
    return FactRow(target=cell[0], language=cell[1], metric=suite.card(cell[0]).metric, estimate=found)


def origin_of(folder: Path, record: TrialRecord, suite: Suite, plan: Plan, outcomes: Outcomes, *, same: bool) -> Origin:
    """Return the study's results for the mix, and whether this model's outcomes equal the study's."""
    ledger = Ledger(folder)
    config, records = ledger.config(), ledger.records()
    known = Origin(
        study=config.name,
        trial=record.number if same else None,
        role=record.role if same else None,
        differing=_differing(ledger, record, outcomes) if same else None,
        chosen=(f"The study trained {len({r.plan.mix_signature for r in records})} plans.",),
    )
    if plan.settings != record.plan.settings:
        changed = f"Features are `{plan.settings.features}` here and were `{record.plan.settings.features}` in the study: "
        return _with(known, f"{changed}its scores of the mix are of other models and are left out.")
    try:
        evidence = gather(records, ledger.outcomes, config.objective, Documents.reporting(ledger.documents()), config.guesses)
    except StudyNotReady as reason:
        return _with(known, f"The study is not finished ({reason}).")
    verdict = _verdict(ledger, records, suite, config)
    return _measured(known, plan.schedule, plan.targets, suite, evidence, verdict)


def _verdict(ledger: Ledger, records: Sequence[TrialRecord], suite: Suite, config: StudyConfig) -> Verdict | None:
    """By the rule of headline claims; a study of one language has no other to choose on, and takes English."""
    for rule in ("pivot-dev", "english-dev"):
        with suppress(StudyNotReady):
            return pick(
                records,
                ledger.outcomes,
                suite.groups,
                rule=rule,
                language_groups=suite.language_groups,
                objective=config.objective,
                documents=Documents.reporting(ledger.documents()),
                picker=referred(config.picker, WANTED) if config.picker else None,
                guesses=config.guesses,
            )
    return None


def _measured(
    known: Origin, schedule: Schedule, targets: Sequence[str], suite: Suite, evidence: Evidence, verdict: Verdict | None
) -> Origin:
    if not schedule.stages:
        return _with(known, "No intermediate phase: this is the baseline that the study's gains are measured against.")
    arm = next((c.arm for c in evidence.candidates if c.first.plan.schedule == schedule), None)
    if arm is None:
        return _with(known, "The mix was no finalist and was not trained on fresh seeds: the study gives no gain for it.")
    pool, cells = evidence.arms, [cell for cell in evidence.cells if cell[0] in targets]
    scores = [_row(suite, cell, arm, pool=pool) for cell in cells]
    gains = [_row(suite, cell, arm, minus=evidence.baseline, pool=pool) for cell in cells]
    return dataclasses.replace(
        known,
        scores=tuple(scores),
        gains=tuple(gains),
        seeds=len(arm.seeds),
        baseline_seeds=len(evidence.baseline.seeds),
        chosen=(*known.chosen, *_how_chosen(schedule, len(evidence.candidates), verdict)),
    )


def _how_chosen(schedule: Schedule, candidates: int, verdict: Verdict | None) -> tuple[str, ...]:
    again = f"It was one of the {candidates} finalists of the search that were trained again on fresh seeds."
    if verdict is None:
        return (again,)
    picked: dict[str, list[str]] = {}
    for choice in verdict.choices:
        if choice.schedule == schedule:
            picked.setdefault(choice.rule, []).append(f"{choice.name} ({choice.finding})")
    if not picked:
        return (again, f"Rule {verdict.rule} chose another mix for every language and group.")
    return (again, *(f"Rule {rule} ({RULES[rule]}) chose it for {', '.join(names)}." for rule, names in picked.items()))


def _differing(ledger: Ledger, record: TrialRecord, outcomes: Outcomes) -> int:
    """Count examples whose outcome differs from the trial's."""
    before = ledger.outcomes(record.number)
    return sum(int((table != before[cell]).any(axis=1).sum()) for cell, table in outcomes.items() if cell in before)


def _with(origin: Origin, sentence: str) -> Origin:
    return dataclasses.replace(origin, chosen=(*origin.chosen, sentence))


def _trained_on(cards: Iterable[TaskCard], target: TaskCard | None) -> tuple[TaskCard, ...]:
    """Return the cards of the intermediate tasks in canonical order, then the target's."""
    return (*sorted(cards, key=lambda card: card.name), *([target] if target else []))
