"""Joint or sequential on planted worlds, where the true answer over the whole space is known."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tasksearch.analysis.matched_comparison.comparison import compare_schedules
from tasksearch.analysis.matched_comparison.matched_runs import MatchedStudy
from tasksearch.bench.planted_world import PlantedWorld
from tasksearch.bench.results import holds
from tasksearch.bench.simulate import GROUPS, Simulation, sizes_of, space_of
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import Role
from tasksearch.results.matched_comparison import Difference, MatchedComparison
from tasksearch.search.matched_pairs import drawn_pairs, matched_sets
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays

_ELSEWHERE = 1_000_000  # seed of the mixtures that the truth is averaged over, the same in every world of a space


@dataclass(frozen=True, kw_only=True)
class MatchedResult:
    """One world.

    Attributes:
        truth: joint - sequential in points, mean over languages but English and over mixtures of the space.
        by_language: the same per language.
        answer: the comparison of the matched pairs.
    """

    truth: float
    by_language: dict[str, float]
    answer: MatchedComparison

    @property
    def main(self) -> Difference:
        """The difference over all languages."""
        return self.answer.main

    @property
    def covered(self) -> bool:
        """Whether the interval over all languages contains the truth."""
        return holds(self.main, self.truth)

    @property
    def covered_languages(self) -> float:
        """Share of the languages whose interval contains their truth."""
        rows = self.answer.contrasts[0].rows
        return float(np.mean([holds(row.difference, self.by_language[row.name]) for row in rows if row.kind == "language"]))

    @property
    def wrong(self) -> bool:
        """Whether the verdict names the worse schedule, or a winner where there is none."""
        return (self.answer.verdict == "joint" and self.truth < 1e-9) or (
            self.answer.verdict == "sequential" and self.truth > -1e-9
        )


def matched_result(world: PlantedWorld, *, mixtures: int = 6, seeds: int = 3, many: int = 300) -> MatchedResult:
    """Compare the matched pairs of a study with the world's seed, under one learning-rate curve.

    The truth is the mean over `many` other mixtures of the space.
    """
    space, simulation = space_of(world), Simulation(world=world)
    for variants in matched_sets(space, world.seed, mixtures):
        for seed in range(1, 1 + seeds):
            for variant in variants:
                if variant.lr_policy == "phase" and variant.schedule.kind != "annealed":
                    simulation.train(variant.schedule, seed, "finalist")
    return _result(world, simulation, "twin", len(simulation.records) // mixtures, many)


def paired_result(world: PlantedWorld, *, pairs: int, many: int = 900) -> MatchedResult:
    """Compare the matched pairs of a study with the world's seed: two trainings each.

    The truth is the mean over so `many` other mixtures that its own error is small beside that of the pairs.
    """
    simulation = Simulation(world=world)
    for pair in drawn_pairs(space_of(world), world.seed, pairs):
        for schedule in (pair.joint, pair.sequential):
            simulation.train(schedule, pair.seed, "finalist")
    return _result(world, simulation, "pair", 2, many)


def _result(world: PlantedWorld, simulation: Simulation, role: Role, per_mixture: int, many: int) -> MatchedResult:
    study = MatchedStudy(
        name="planted",
        records=[dataclasses.replace(record, role=role) for record in simulation.records],
        outcomes=simulation.outcomes,
        sizes=sizes_of(world),
        per_mixture=per_mixture,
    )
    space = space_of(world)
    joint, chains = (world.scores(world.gains_of(arrays)) for arrays in _elsewhere(space, many))
    each = joint.mean(axis=0) - chains.mean(axis=0)
    by_language = dict(zip(world.languages[1:], map(float, each[1:]), strict=True))
    return MatchedResult(truth=float(each[1:].mean()), by_language=by_language, answer=compare_schedules([study], GROUPS))


@lru_cache(maxsize=4)
def _elsewhere(space: SearchSpace, many: int) -> tuple[ScheduleArrays, ScheduleArrays]:
    """Return the joint and the sequential schedules of other mixtures, over which the truth is the mean."""
    sets = matched_sets(space, _ELSEWHERE, many)
    phase = [training.schedule for variants in sets for training in variants if training.lr_policy == "phase"]
    joint, chains = ([s for s in phase if s.kind == kind] for kind in ("joint", "sequential"))
    return ScheduleArrays.of(joint, space.tasks), ScheduleArrays.of(chains, space.tasks)
