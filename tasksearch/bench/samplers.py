"""Samplers on a planted world, which propose one trial after the other.

A user's own sampler is a Python file with a function `sample(space, told, rng) -> Schedule`: `told` lists the schedules so far
with their gains over the baseline in every language, shape (languages,). A schedule that was trained already, or None, is
replaced by a random mix.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tasksearch.bench.planted_world import PlantedWorld
from tasksearch.bench.simulate import GROUPS, GUESSES, TARGET, Simulation, proposed, searched, sizes_of, space_of
from tasksearch.bench.skill_worlds import SkillWorld
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.core.space import SearchSpace, decode
from tasksearch.core.study import Objective, StudyConfig, TrialRecord
from tasksearch.search.designed_trials import designed_trials
from tasksearch.search.matched_pairs import default_pairs
from tasksearch.search.objective import Baseline, kept_baseline, objective
from tasksearch.search.proposals import Proposal, propose
from tasksearch.search.random_schedules import random_params

Told = Sequence[tuple[Schedule, NDArray[np.float64]]]
Sample = Callable[[SearchSpace, Told, random.Random], Schedule | None]
Search = Callable[[PlantedWorld, int, int, int], Simulation]
"""(world, trials, seed, number of baseline seeds) → the search's trials."""


def random_search(world: PlantedWorld, trials: int, seed: int, baseline_seeds: int) -> Simulation:
    """Run designed trials, then random mixes: `--sampler random`."""
    return searched(world, proposed(world, trials, seed), baseline_seeds)


def tpe_search(
    world: PlantedWorld,
    trials: int,
    seed: int,
    baseline_seeds: int,
    *,
    sampler: str = "tpe",
    pairs: int | None = 0,
    by_distance: bool = False,
    lag: int = 1,
) -> Simulation:
    """The tool's own proposals: designed trials, then TPE or another sampler of Optuna's kind.

    Args:
        world, trials, seed, baseline_seeds: as for every search.
        sampler: as `--sampler` takes it.
        pairs: matched pairs among the trials; None: as many as a study of that size has.
        by_distance: whether the sampler is told which languages are of one family, where the world has families.
        lag: trial n is told the results of trials 0 … n - lag, as with so many trials at once; 1: told after every trial.
    """
    fields: dict[str, object] = {"baseline_seeds": baseline_seeds, "trials": baseline_seeds + trials, "seed": seed, "lag": lag}
    fields["guesses"] = GUESSES
    fields["pairs"] = default_pairs(space_of(world), baseline_seeds + trials, baseline_seeds) if pairs is None else pairs
    config = planted_config(world, sampler=sampler, **fields)
    study, sizes = Simulation(world=world), sizes_of(world)
    distances = world.distances if by_distance and isinstance(world, SkillWorld) else None
    while len(study.records) < config.trials:
        n = len(study.records)
        found = propose(config, sizes, study.plan_of, n, study.records, GROUPS, distances=distances)
        assert isinstance(found, Proposal)
        study.train(found.plan.schedule, found.plan.seed, found.role, params=found.params)
        judge_last(study, baseline_seeds)
    return study


def own_search(sample: Sample) -> Search:
    """Make a search of designed trials, then the proposals of a user's function."""

    def search(world: PlantedWorld, trials: int, seed: int, baseline_seeds: int) -> Simulation:
        space, rng = space_of(world), random.Random(seed)
        planned = list(dict.fromkeys(design.schedule for design in designed_trials(space, sizes_of(world))))[:trials]
        study = searched(world, [("design", schedule) for schedule in planned], baseline_seeds)
        while len(study.records) < baseline_seeds + trials:
            told = _told(study)
            schedule = sample(space, told, rng)
            seen = {record.plan.schedule for record in study.records}
            while schedule is None or schedule in seen:
                schedule = decode(space, random_params(space, rng))
            study.train(schedule, 0, "search")
        return study

    return search


SEARCHES: dict[str, Search] = {
    "random": random_search,
    "auto": partial(tpe_search, sampler="auto"),
    "auto-distances": partial(tpe_search, sampler="auto", by_distance=True),
    "tpe": tpe_search,
    "tpe-pairs": partial(tpe_search, pairs=None),
}


def planted_config(world: PlantedWorld, **fields: object) -> StudyConfig:
    """Make the configuration of a study of that world."""
    plain = {"name": "planted", "suite": "planted", "model": "planted", "targets": (TARGET,), "languages": world.languages}
    return StudyConfig(**({"space": space_of(world)} | plain | fields))  # type: ignore[arg-type]


def judged(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Add objectives to the records, as a study does once the baseline is complete."""
    baseline = Baseline.of(records)
    return [dataclasses.replace(r, objective=objective(r.scores, baseline, GROUPS, Objective())) for r in records]


def judge_last(study: Simulation, baseline_seeds: int) -> None:
    """Add the objective to the record that came last, or to all once the baseline is complete."""
    if len(study.records) == baseline_seeds:
        study.records[:] = judged(study.records)
    elif len(study.records) > baseline_seeds:
        baseline, last = kept_baseline(study.records[:baseline_seeds]), study.records[-1]
        study.records[-1] = dataclasses.replace(last, objective=objective(last.scores, baseline, GROUPS, Objective()))


def _told(study: Simulation) -> list[tuple[Schedule, NDArray[np.float64]]]:
    languages = [language for language in study.world.languages if language != ENGLISH]
    bare = [record.scores.values("select") for record in study.records if record.role == "baseline"]
    level = {language: np.mean([column[TARGET, language] for column in bare]) for language in languages}
    return [
        (record.plan.schedule, np.array([record.scores.values("select")[TARGET, code] - level[code] for code in languages]))
        for record in study.records
        if record.role != "baseline"
    ]
