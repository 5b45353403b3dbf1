"""`SurrogateSampler`: what `--sampler auto` does, as an ordinary Optuna sampler over an ordinary study.

from tasksearch.core.space import SearchSpace, decode, suggest
from tasksearch.search.surrogate_sampler import SurrogateSampler

space = SearchSpace(name="mine", summary="", tasks=("qqp", "mnli", "ccg"), steps=(100, 200))

def objective(trial):
    schedule = decode(space, suggest(space, trial))
    scores = train_and_score(schedule)               # language → gain over no intermediate training
    trial.set_user_attr("gains", scores)             # optional; without it the value alone is modelled
    return sum(scores.values()) / len(scores)

optuna.create_study(direction="maximize", sampler=SurrogateSampler(space)).optimize(objective, n_trials=48)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from tasksearch.core.errors import BadInput
from tasksearch.core.schedule import Schedule
from tasksearch.core.signature import seed_from
from tasksearch.core.space import SearchSpace, decode
from tasksearch.search.designed_trials import designed_trials
from tasksearch.search.surrogate.alike_columns import Distances, alike_columns
from tasksearch.search.surrogate_search import Told, ranked_mixes

GAINS = "gains"
"""User attribute of a trial: language → gain."""


class SurrogateSampler(BaseSampler):  # type: ignore[misc]
    """Designed trials first, then the mix of which one training promises most.

    Trial n is a pure function of the space, the seed and the results of trials 0 … n - lag; of the trials in between only the
    parameters count. So a study is the same at any concurrency up to the lag, as long as those trials have ended by then.
    Parameters that the space does not have are drawn at random.

    Args:
        space: with tasks and steps filled in.
        seed: of all draws.
        lag: at least 1, and at least the number of trials at once.
        sizes: task → number of training examples, for the proportional design and the size rule; None: without these.
        distances: (language, language) → distance, of the languages that `gains` names, such as `combined_distances` returns;
            they count as far as trials bear them out. None: all are as far apart.

    Raises:
        BadInput: the space is a grid, all of whose plans are trained, or has mixture rules or training methods.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        seed: int = 0,
        lag: int = 1,
        sizes: Mapping[str, int] | None = None,
        distances: Distances | None = None,
    ) -> None:
        if space.grid or space.rules or space.methods:
            raise BadInput(f"space {space.name!r} is a grid, or has rules or methods; expected weights of tasks")
        self._space, self._seed, self._lag, self._distances = space, seed, lag, distances
        self._designs = designed_trials(space, sizes or {})

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return every parameter that a mix of the space may have."""
        space = self._space
        found: dict[str, BaseDistribution] = {f"use/{task}": CategoricalDistribution([True, False]) for task in space.tasks}
        if len(space.steps) > 1:
            found["steps"] = CategoricalDistribution(list(space.steps))
        if len(space.schedules) > 1:
            found["schedule"] = CategoricalDistribution(list(space.schedules))
        if space.searched_rates:
            found["learning_rate"] = CategoricalDistribution(list(space.searched_rates))
        free = space.denominator is None
        for task in space.tasks:
            found[f"weight/{task}"] = FloatDistribution(0.1, 1.0, log=True) if free else IntDistribution(1, 4)
            found[f"rank/{task}"] = FloatDistribution(0.0, 1.0)
        return found

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the parameters of the mix to train; empty, so that all are random, while too little is known."""
        earlier = [one for one in study.get_trials(deepcopy=False) if one.number < trial.number]
        seen = {schedule for one in earlier if (schedule := self._schedule(one)) is not None}
        planned = (dict(design.params) for design in self._designs if design.schedule not in seen)
        if trial.number < len(self._designs) and (params := next(planned, None)) is not None:
            return _varied(params, search_space)
        told, pending = self._told(study, earlier, trial.number)
        if told is None:
            return {}
        rng = np.random.default_rng(seed_from("auto", self._seed, trial.number))
        for params in ranked_mixes(self._space, told, pending, rng):
            if decode(self._space, params) not in seen:
                return _varied(params, search_space)
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw a parameter at random, by its name and the trial's number."""
        seed = seed_from("independent", self._seed, trial.number, param_name) % 2**32
        return RandomSampler(seed=seed).sample_independent(study, trial, param_name, param_distribution)

    def _schedule(self, trial: FrozenTrial) -> Schedule | None:
        fixed = {"steps": self._space.steps[0], "schedule": self._space.schedules[0]}  # one choice is no parameter
        params = fixed | trial.params
        if any(f"use/{task}" not in params for task in self._space.tasks):
            return None
        if not any(params[f"use/{task}"] for task in self._space.tasks):
            return None
        try:
            return decode(self._space, params)
        except BadInput:  # a trial that failed, or is asked at the moment, before it had all its parameters
            return None

    def _told(self, study: optuna.Study, earlier: Sequence[FrozenTrial], number: int) -> tuple[Told | None, list[Schedule]]:
        sign = 1.0 if study.direction == StudyDirection.MAXIMIZE else -1.0
        told: dict[Schedule, FrozenTrial] = {}
        pending: list[Schedule] = []
        for one in earlier:
            schedule = self._schedule(one)
            if schedule is None:
                continue
            if one.number > number - self._lag or not one.state.is_finished():
                pending.append(schedule)
            elif one.state == TrialState.COMPLETE:
                told.setdefault(schedule, one)
        if not told:
            return None, pending
        names = set.intersection(*(set(one.user_attrs.get(GAINS) or ()) for one in told.values()))
        columns = sorted(names)
        gains = [[float(one.user_attrs[GAINS][name]) for name in columns] or [sign * one.value] for one in told.values()]
        known = Told(
            schedules=tuple(told),
            params=tuple({"steps": self._space.steps[0]} | one.params for one in told.values()),
            gains=np.array(gains, dtype=np.float64),
            seeds=None,
            weights=np.ones(max(1, len(columns))),
            alike=alike_columns(columns, self._distances),
        )
        return known, pending


def _varied(params: Mapping[str, Any], search_space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name in search_space}
