"""`Mix`: a mixture with its twins as they came out, and the sheets of differences that `crossed` reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.clustering import Documents
from tasksearch.analysis.estimates import MIN_DOCUMENTS, MIN_EXAMPLES, CandidateOutcomes, Cell
from tasksearch.analysis.evidence import OutcomesOf, candidate_outcomes_of
from tasksearch.analysis.influence import Block, Influence
from tasksearch.analysis.matched_comparison.random_effects import DifferenceTable, Items
from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import TrialRecord
from tasksearch.results.matched_comparison import Policy

Array = NDArray[np.float64]
Variant = tuple[Schedule, Policy]


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinStudy:
    """One study as the question needs it.

    Attributes:
        name: of the study.
        records: all of them.
        outcomes: of a trial, by number.
        sizes: intermediate task → training examples; empty where they are not known.
        per_mixture: twin trainings of each mixture; one that has fewer is still being asked for, and is passed over.
        documents: of the reporting examples, where the study kept them.
    """

    name: str
    records: Sequence[TrialRecord]
    outcomes: OutcomesOf
    sizes: Mapping[str, int]
    per_mixture: int
    documents: Documents | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Mix:
    """A mixture with its twins.

    Attributes:
        steps: equal among its twins.
        asked: its twins, in the order they were asked for.
        arms: of the twins that are finished on every seed.
        seeds: that its twins were asked for on, in the order of the arms' seeds.
        sizes: of the study's tasks.
    """

    steps: int
    asked: tuple[Variant, ...]
    arms: Mapping[Variant, CandidateOutcomes]
    seeds: tuple[int, ...]
    sizes: Mapping[str, int]

    def of(self, kind: str, policy: Policy = "phase") -> list[Variant]:
        """Its twins of that kind, in the order they were asked for."""
        return [variant for variant in self.asked if (variant[0].kind, variant[1]) == (kind, policy)]

    def whole(self, variants: Iterable[Variant]) -> bool:
        """Whether all of these are finished on every seed."""
        return all(variant in self.arms for variant in variants)


Coefficients = Callable[[Mix], Mapping[Variant, float] | None]
"""Mixture → weight of each of its twins in a difference; None where it has them not."""


def mixes_of(studies: Sequence[TwinStudy]) -> list[Mix]:
    """Every mixture of the studies; one that several studies drew, on the same seeds, counts once."""
    found: dict[tuple[Mixture, int, tuple[int, ...]], Mix] = {}
    for study in studies:
        by_mix: dict[tuple[Mixture, int], list[TrialRecord]] = {}
        for record in sorted((r for r in study.records if r.role == "twin"), key=lambda r: r.number):
            mixture = record.plan.schedule.mixture()
            assert mixture is not None, "a twin has an intermediate phase"
            by_mix.setdefault((mixture, record.plan.schedule.steps), []).append(record)
        for (mixture, steps), members in by_mix.items():
            seeds = tuple(sorted({record.plan.seed for record in members}))
            if len(members) == study.per_mixture and (mixture, steps, seeds) not in found:
                asked, arms = _arms(study, members, seeds)
                found[mixture, steps, seeds] = Mix(steps=steps, asked=asked, arms=arms, seeds=seeds, sizes=study.sizes)
    return list(found.values())


def _arms(
    study: TwinStudy, members: Sequence[TrialRecord], seeds: Sequence[int]
) -> tuple[tuple[Variant, ...], dict[Variant, CandidateOutcomes]]:
    asked: dict[Variant, list[TrialRecord]] = {}
    for record in members:
        asked.setdefault((record.plan.schedule, record.plan.settings.intermediate.lr_policy), []).append(record)
    done = {variant: [r for r in records if r.status == "done"] for variant, records in asked.items()}
    whole = {variant: records for variant, records in done.items() if len(records) == len(seeds)}
    return tuple(asked), {
        variant: candidate_outcomes_of(records, study.outcomes, study.documents) for variant, records in whole.items()
    }


def against(other: str, policy: Policy) -> Coefficients:
    """Joint minus the mean of the mixture's other twins of that kind."""

    def coefficients(mix: Mix) -> Mapping[Variant, float] | None:
        joint, others = mix.of("joint"), mix.of(other, policy)
        if not joint or not others or not mix.whole([*joint, *others]):
            return None
        return {joint[0]: 1.0} | {variant: -1 / len(others) for variant in others}

    return coefficients


def sheets(mixes: Sequence[Mix], coefficients: Coefficients, weights: Mapping[Cell, float]) -> list[DifferenceTable]:
    """Differences of these mixtures over the weighted cells, a sheet per set of seeds; mixtures without one are left out."""
    by_seeds: dict[tuple[int, ...], list[tuple[Array, Mapping[Block, Array]]]] = {}
    for mix in mixes:
        signs = coefficients(mix)
        if signs is not None:
            by_seeds.setdefault(mix.seeds, []).append(_row(mix, signs, weights))
    return [_sheet(rows) for rows in by_seeds.values()]


def _sheet(rows: Sequence[tuple[Array, Mapping[Block, Array]]]) -> DifferenceTable:
    blocks = rows[0][1].keys()
    if any(pulls.keys() != blocks for _, pulls in rows):
        raise BadInput("twins were scored on different numbers of examples or documents; expected the same ones everywhere")
    pulls = {block: np.stack([pulls[block] for _, pulls in rows]) for block in blocks}
    return DifferenceTable(scores=np.stack([scores for scores, _ in rows]), pulls=pulls)


def _row(mix: Mix, signs: Mapping[Variant, float], weights: Mapping[Cell, float]) -> tuple[Array, Mapping[Block, Array]]:
    """Scores (seeds,) and, per block, sums of pulls (seeds, documents) of one mixture's difference."""
    sides = [(sign, Influence.of(mix.arms[variant], weights)) for variant, sign in signs.items()]
    each = [(sign, pulls.blocks) for sign, pulls in sides]
    blocks = {block: np.asarray(sum(sign * pulls[block] for sign, pulls in each)) for block in each[0][1]}
    return np.asarray(sum(sign * pulls.scores for sign, pulls in sides)), blocks


def items_of(arm: CandidateOutcomes, weights: Mapping[Cell, float]) -> Items:
    """What a row's cells were scored on."""
    found = Influence.of(arm, weights)
    documents = found.documents
    return Items(
        examples=sum(found.examples),
        documents=sum(documents.values()) if len(documents) == len(found.names) else None,
        freedom=found.freedom,
        enough=min(found.examples) >= MIN_EXAMPLES and min(documents.values(), default=MIN_DOCUMENTS) >= MIN_DOCUMENTS,
    )
