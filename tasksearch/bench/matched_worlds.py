"""Joint or sequential on planted worlds, where the true answer over the whole space is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.matched_comparison.comparison import compare_schedules
from tasksearch.analysis.matched_comparison.matched_runs import TwinStudy
from tasksearch.bench.planted_world import PlantedWorld
from tasksearch.bench.simulate import Simulation, sizes_of, space_of
from tasksearch.results.matched_comparison import Difference, MatchedComparison
from tasksearch.search.matched_pairs import Twin, twin_sets

GROUPS = {"target": "classification"}
_ELSEWHERE = 1_000_000  # seeds of the mixtures that the truth is averaged over


@dataclass(frozen=True, kw_only=True)
class MatchedResult:
    """One world.

    Attributes:
        truth: joint - sequential in points, mean over languages but English and over mixtures of the space.
        by_language: the same per language.
        answer: what the twins said.
    """

    truth: float
    by_language: dict[str, float]
    answer: MatchedComparison

    @property
    def main(self) -> Difference:
        """Over all languages."""
        return self.answer.main

    @property
    def covered(self) -> bool:
        """Whether the interval over all languages holds the truth."""
        return _holds(self.main, self.truth)

    @property
    def covered_languages(self) -> float:
        """Share of the languages whose interval holds their truth."""
        rows = self.answer.contrasts[0].rows
        return float(np.mean([_holds(row.difference, self.by_language[row.name]) for row in rows if row.kind == "language"]))

    @property
    def wrong(self) -> bool:
        """Whether the verdict names a winner that is none, or the loser."""
        return (self.answer.verdict == "joint" and self.truth < 1e-9) or (
            self.answer.verdict == "sequential" and self.truth > -1e-9
        )


def matched_result(world: PlantedWorld, *, mixtures: int = 6, seeds: int = 3, many: int = 300) -> MatchedResult:
    """The twins of a study with the world's own seed, under one learning-rate curve; the truth over `many` other mixtures."""
    space, simulation = space_of(world), Simulation(world=world)
    for twins in twin_sets(space, world.seed, mixtures):
        for seed in range(1, 1 + seeds):
            for twin in twins:
                if twin.lr_policy == "phase" and twin.schedule.kind != "annealed":
                    simulation.train(twin.schedule, seed, "finalist")
    records = [dataclasses.replace(record, role="twin") for record in simulation.records]
    study = TwinStudy(
        name="planted",
        records=records,
        outcomes=simulation.outcomes,
        sizes=sizes_of(world),
        per_mixture=len(records) // mixtures,
    )
    each = _truths(world, twin_sets(space, _ELSEWHERE + world.seed, many))
    by_language = dict(zip(world.languages[1:], map(float, each[1:]), strict=True))
    return MatchedResult(truth=float(each[1:].mean()), by_language=by_language, answer=compare_schedules([study], GROUPS))


def _truths(world: PlantedWorld, sets: Sequence[Sequence[Twin]]) -> NDArray[np.float64]:
    """Mean difference of the true scores, shape (languages,)."""
    phase = [[t.schedule for t in twins if t.lr_policy == "phase"] for twins in sets]
    kinds = {kind: [s for twins in phase for s in twins if s.kind == kind] for kind in ("joint", "sequential")}
    joint, chains = (world.scores(world.gains(schedules)) for schedules in kinds.values())
    found: NDArray[np.float64] = joint.mean(axis=0) - chains.mean(axis=0)
    return found


def _holds(found: Difference, truth: float) -> bool:
    return found.low is not None and found.high is not None and found.low <= truth <= found.high
