"""Optuna's GPSampler over a space without conditions, as one would have to write it for a Gaussian process.

Optuna's GPSampler draws every parameter at random that some trial lacks, and in the product's space weights and places in the
order exist only for the tasks of a mix. Here every mix has all of them, of no effect for a task that is absent.
"""

from __future__ import annotations

import random
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import create_trial

from tasksearch.bench.planted_world import PlantedWorld
from tasksearch.bench.samplers import judge_last
from tasksearch.bench.simulate import Simulation, searched, sizes_of, space_of
from tasksearch.core.signature import seed_from
from tasksearch.core.space import SearchSpace, decode
from tasksearch.search.designed_trials import designed_trials
from tasksearch.search.random_schedules import random_params
from tasksearch.search.surrogate_sampler import SurrogateSampler


def flat_gp_search(world: PlantedWorld, trials: int, seed: int, baseline_seeds: int) -> Simulation:
    """Run designed trials, then proposals of `GPSampler` with its defaults, told after every trial."""
    space: SearchSpace = space_of(world)
    told: list[dict[str, Any]] = []
    every = _every_parameter(space)
    study = searched(world, [], baseline_seeds)
    judge_last(study, baseline_seeds)
    for design in designed_trials(space, sizes_of(world))[:trials]:
        told.append(_filled(dict(design.params), every))
        study.train(design.schedule, 0, "design", params=design.params)
        judge_last(study, baseline_seeds)
    for place in range(len(told), trials):
        seen = {record.plan.schedule for record in study.records}
        params = _proposed(every, told, study, seed_from("flat", seed, place))
        schedule, draw = decode(space, params), random.Random(seed_from("flat", seed, place, "again"))
        while schedule is None or schedule in seen:
            params = _filled(random_params(space, draw), every)
            schedule = decode(space, params)
        told.append(params)
        study.train(schedule, 0, "search", params=tuple(params.items()))
        judge_last(study, baseline_seeds)
    return study


def _every_parameter(space: SearchSpace) -> dict[str, BaseDistribution]:
    found: dict[str, BaseDistribution] = SurrogateSampler(space).infer_relative_search_space(None, None)  # type: ignore[arg-type]
    return found


def _filled(params: dict[str, Any], every: dict[str, BaseDistribution]) -> dict[str, Any]:
    rest = {"schedule": "joint"}
    plain = {name: rest.get(name, 0.5 if name.startswith("rank/") else 1) for name in every}
    return {name: params.get(name, plain[name]) for name in every}


def _proposed(every: dict[str, BaseDistribution], told: list[dict[str, Any]], study: Simulation, seed: int) -> dict[str, Any]:
    search = optuna.create_study(direction="maximize", sampler=optuna.samplers.GPSampler(seed=seed % 2**32))
    values = [record.objective for record in study.records if record.role != "baseline"]
    search.add_trials(
        [create_trial(params=params, distributions=every, value=value) for params, value in zip(told, values, strict=True)]
    )
    return dict(search.ask(fixed_distributions=every).params)
