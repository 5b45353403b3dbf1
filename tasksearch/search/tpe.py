"""Proposals of TPE, or of another Optuna sampler on a study in memory, from the records whose results they may use."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from tasksearch.core.errors import BadInput, first_line
from tasksearch.core.space import SearchSpace, suggest
from tasksearch.core.study import BASELINES, TrialRecord
from tasksearch.search.designed_trials import Fixed
from tasksearch.search.fast_tpe import Columns, FastTPE
from tasksearch.search.optuna_samplers import build_sampler
from tasksearch.search.random_schedules import uniform

_STATES = {"done": TrialState.COMPLETE, "failed": TrialState.FAIL, "stopped": TrialState.PRUNED, "running": TrialState.RUNNING}


def tpe_suggestions(
    space: SearchSpace,
    told: Sequence[TrialRecord],
    pending: Sequence[TrialRecord],
    *,
    seeds: Sequence[int],
    sampler: str = "tpe",
) -> Iterator[dict[str, Any]]:
    """Sets of parameters from multivariate, grouped TPE or another sampler, one per seed; pure where the sampler takes a seed.

    Args:
        space: with tasks and steps filled in.
        told: trials whose results may be used, in the order of their numbers. A failed trial is told to Optuna as FAIL, never
            with a score; a stopped one as PRUNED. The baseline enters once, with the mean of its seeds: it is one point.
        pending: trials of which only the parameters may be used; the constant liar keeps proposals away from them.
        seeds: of the draws. A draw that the caller does not take (a mix that was run already, a subset that the space does not
            allow) stays behind as a running trial, so that the constant liar keeps the next one away from it. Told as failed it
            would be forgotten, and TPE, which takes the best of its candidates, would propose it again and again. After three
            draws a growing share of parameters is drawn uniformly: in a small space TPE comes to know one mix alone.
        sampler: `tpe`, or as `optuna_samplers.build_sampler` takes it.

    Raises:
        BadInput: what another sampler raised.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if sampler == "tpe":
        yield from _built_in(space, told, pending, seeds)
        return
    study = optuna.create_study(direction="maximize")
    study.add_trials(_history(space, told, pending))
    for attempt, seed in enumerate(seeds):
        study.sampler = build_sampler(sampler, seed)
        try:
            yield suggest(space, _Loosened(study.ask(), random.Random(seed), _rate(attempt, len(seeds))))
        except Exception as fault:  # whatever a foreign sampler does is told in one line
            raise BadInput(f"sampler {sampler} failed: {type(fault).__name__}: {first_line(fault)}") from fault


def _built_in(
    space: SearchSpace, told: Sequence[TrialRecord], pending: Sequence[TrialRecord], seeds: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Yield what Optuna's TPE would propose over a study of these records, which is not built (`fast_tpe`)."""
    points = _points(told, pending)
    columns = _columns_of(space)
    columns.take([params for params, _, _ in points])
    states, values = [state for _, state, _ in points], [value for _, _, value in points]
    asked: list[dict[str, Any]] = []
    for attempt, seed in enumerate(seeds):
        sampler = FastTPE(seed % 2**32, columns, states, values, asked)
        trial = optuna.create_study(direction="maximize", sampler=sampler).ask()
        yield suggest(space, _Loosened(trial, random.Random(seed), _rate(attempt, len(seeds))))
        asked.append({**sampler.relative, **trial.params})


@lru_cache(maxsize=4)
def _columns_of(space: SearchSpace) -> Columns:
    return Columns(lambda params: distributions_of(space, dict(params)) if params else {})


def _rate(attempt: int, attempts: int) -> float:
    return max(0, attempt - 2) / max(1, attempts - 2)


class _Loosened:
    """An Optuna trial that draws a share `rate` of the parameters uniformly instead."""

    def __init__(self, trial: optuna.Trial, rng: random.Random, rate: float) -> None:
        self._trial, self._rng, self._rate = trial, rng, rate

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        answer = self._trial.suggest_categorical(name, choices)
        return self._rng.choice(choices) if self._rng.random() < self._rate else answer

    def suggest_int(self, name: str, low: int, high: int) -> int:
        answer = int(self._trial.suggest_int(name, low, high))
        return self._rng.randint(low, high) if self._rng.random() < self._rate else answer

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        answer = float(self._trial.suggest_float(name, low, high, log=log))
        return uniform(self._rng, low, high, log=log) if self._rng.random() < self._rate else answer


def frozen_trial(
    space: SearchSpace, record: TrialRecord, *, running: bool = False, user_attrs: Mapping[str, Any] | None = None
) -> FrozenTrial:
    """Return a record as an Optuna trial without its number. `running` hides its result."""
    state = TrialState.RUNNING if running else _STATES[record.status]
    trial = copy.copy(_frozen(space, record.params, state, record.objective if state == TrialState.COMPLETE else None))
    trial.user_attrs = dict(user_attrs or {})
    return trial


class _Shared(FrozenTrial):  # type: ignore[misc]
    """A frozen trial that is never changed: the deep copy that a storage makes of each shares its content."""

    def __deepcopy__(self, memo: Any) -> _Shared:
        return copy.copy(self)


@lru_cache(maxsize=4096)
def _frozen(space: SearchSpace, params: tuple[tuple[str, Any], ...], state: TrialState, value: float | None) -> _Shared:
    distributions = distributions_of(space, dict(params)) if params else {}  # a matched training may lie outside the space
    now = datetime.now()
    return _Shared(
        number=-1,
        trial_id=-1,
        state=state,
        value=value,
        datetime_start=now,
        datetime_complete=now if state.is_finished() else None,
        params={name: dict(params).get(name, False) for name in distributions},
        distributions=distributions,
        user_attrs={},
        system_attrs={},
        intermediate_values={},
    )


def distributions_of(space: SearchSpace, params: Mapping[str, Any]) -> dict[str, BaseDistribution]:
    """Return distributions of the parameters that the space lets vary; fixed ones are not Optuna parameters."""
    recorder = _Recorder({f"use/{task}": False for task in space.tasks} | dict(params))  # tasks may be newer
    suggest(space, recorder)
    return recorder.distributions


class _Recorder(Fixed):
    """Answers with given values and records their distributions."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.distributions: dict[str, BaseDistribution] = {}

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        self.distributions[name] = CategoricalDistribution(list(choices))
        return super().suggest_categorical(name, choices)

    def suggest_int(self, name: str, low: int, high: int) -> int:
        self.distributions[name] = IntDistribution(low, high)
        return super().suggest_int(name, low, high)

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        self.distributions[name] = FloatDistribution(low, high, log=log)
        return super().suggest_float(name, low, high, log=log)


def _points(
    told: Sequence[TrialRecord], pending: Sequence[TrialRecord]
) -> list[tuple[tuple[tuple[str, Any], ...], TrialState, float | None]]:
    """Return parameters, state and value of every trial that a sampler is told of, in their order."""
    judged = [record for record in told if record.role in BASELINES and record.objective is not None]
    points: list[Any] = []
    if judged:
        points.append((judged[0].params, TrialState.COMPLETE, sum(record.objective or 0.0 for record in judged) / len(judged)))
    points += [(record.params, _STATES[record.status], record.objective) for record in told if record.role not in BASELINES]
    return points + [(record.params, TrialState.RUNNING, None) for record in pending if record.role not in BASELINES]


def _history(space: SearchSpace, told: Sequence[TrialRecord], pending: Sequence[TrialRecord]) -> list[FrozenTrial]:
    return [
        copy.copy(_frozen(space, params, state, value if state == TrialState.COMPLETE else None))
        for params, state, value in _points(told, pending)
    ]
