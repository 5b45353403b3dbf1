"""`Mix`: a mixture with its twins as they came out, and the sheets of differences that `crossed` reads."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.mixture import Mixture
from tasksearch.core.order_effect import Policy
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import TrialRecord
from tasksearch.search.crossed import Sheet
from tasksearch.search.evidence import OutcomesOf, arm_of
from tasksearch.search.statistics import Cell, linearised, score_of

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
    """

    name: str
    records: Sequence[TrialRecord]
    outcomes: OutcomesOf
    sizes: Mapping[str, int]
    per_mixture: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """One training on the reporting halves: cell → percent, and cell → pulls of shape (examples,)."""

    scores: Mapping[Cell, float]
    pulls: Mapping[Cell, Array]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mix:
    """A mixture with its twins.

    Attributes:
        steps: equal among its twins.
        trained: twin → seed → what it came to, finished ones alone.
        seeds: that its twins were asked for on.
        sizes: of the study's tasks.
    """

    steps: int
    trained: Mapping[Variant, Mapping[int, Trained]]
    seeds: tuple[int, ...]
    sizes: Mapping[str, int]

    def of(self, kind: str, policy: Policy = "phase") -> list[Variant]:
        """Its twins of that kind, in the order they were asked for."""
        return [variant for variant in self.trained if (variant[0].kind, variant[1]) == (kind, policy)]

    def whole(self, variants: Iterable[Variant]) -> bool:
        """Whether all of these are finished on every seed."""
        return all(set(self.trained[variant]) == set(self.seeds) for variant in variants)


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
                trained = _trained(study, members)
                found[mixture, steps, seeds] = Mix(steps=steps, trained=trained, seeds=seeds, sizes=study.sizes)
    return list(found.values())


def _trained(study: TwinStudy, members: Sequence[TrialRecord]) -> dict[Variant, dict[int, Trained]]:
    trained: dict[Variant, dict[int, Trained]] = {}
    for record in members:
        each = trained.setdefault((record.plan.schedule, record.plan.settings.intermediate.lr_policy), {})
        if record.status == "done":
            outcomes = arm_of([record], study.outcomes).seeds[0]
            each[record.plan.seed] = Trained(
                scores={cell: score_of(data) for cell, data in outcomes.items()},
                pulls={cell: linearised(data) for cell, data in outcomes.items()},
            )
    return trained


def against(other: str, policy: Policy) -> Coefficients:
    """Joint minus the mean of the mixture's other twins of that kind."""

    def coefficients(mix: Mix) -> Mapping[Variant, float] | None:
        joint, others = mix.of("joint"), mix.of(other, policy)
        if not joint or not others or not mix.whole([*joint, *others]):
            return None
        return {joint[0]: 1.0} | {variant: -1 / len(others) for variant in others}

    return coefficients


def sheets(mixes: Sequence[Mix], coefficients: Coefficients, weights: Mapping[Cell, float]) -> list[Sheet]:
    """The differences of these mixtures over the weighted cells, a sheet per set of seeds; mixtures without one are left out.

    Cells of one target with equally many examples are the same items in several languages: their pulls are added per item.
    """
    by_seeds: dict[tuple[int, ...], list[tuple[Array, dict[Hashable, Array]]]] = {}
    for mix in mixes:
        signs = coefficients(mix)
        if signs is not None:
            by_seeds.setdefault(mix.seeds, []).append(_row(mix, signs, weights))
    return [
        Sheet(
            scores=np.stack([scores for scores, _ in rows]),
            pulls={block: np.stack([pulls[block] for _, pulls in rows]) for block in rows[0][1]},
        )
        for rows in by_seeds.values()
    ]


def _row(mix: Mix, signs: Mapping[Variant, float], weights: Mapping[Cell, float]) -> tuple[Array, dict[Hashable, Array]]:
    """Scores (seeds,) and, per block, pulls (seeds, examples) of one mixture's difference."""
    scores = np.zeros(len(mix.seeds))
    blocks: dict[Hashable, list[Array]] = {}
    for place, seed in enumerate(mix.seeds):
        for variant, sign in signs.items():
            trained = mix.trained[variant][seed]
            for cell, weight in weights.items():
                pulls = trained.pulls[cell]
                scores[place] += sign * weight * trained.scores[cell]
                block = blocks.setdefault((cell[0], len(pulls)), [np.zeros(len(pulls)) for _ in mix.seeds])
                block[place] += sign * weight * pulls
    return scores, {block: np.stack(rows) for block, rows in blocks.items()}
