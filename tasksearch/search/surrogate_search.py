"""What `--sampler auto` proposes: the mix of which one training promises most, in the languages and targets asked for.

The pooled surrogate is fitted to the told trials. Candidates are random mixes, and edits of the mixes that it holds best for
all languages or for one. Of each candidate it predicts the gain in every language, and by how much that prediction would move
after one training. The worth of a candidate is the mean over languages of its expected improvement on the mix that is held best
there (Jones, Schonlau, Welch 1998), taken of what would be believed after that one noisy training rather than of what is true,
as in the knowledge gradient (Frazier, Powell, Dayanik 2009).

Mixes that are still being trained count with the scores predicted for them, so that a batch spreads.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace, decode
from tasksearch.search.candidate_mixes import CandidateMixes, edited, random_mixes
from tasksearch.search.gain_table import MIN_MIXES
from tasksearch.search.random_schedules import random_params
from tasksearch.search.surrogate.multitask_gp import surrogate_over
from tasksearch.search.surrogate.prediction import FittedSurrogate
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays

Array = NDArray[np.float64]

_PARENTS = 6  # of the best mixes over all languages; the best one of each language comes beside them
_ONCE, _TWICE, _RANDOM = 24, 12, 150  # edits of each parent, edits of edits, random mixes
_MOST_PARENTS = 16
_YIELDED = 60
MOST_MIXES = 192
"""As many mixes the surrogate is fitted to, so that a proposal late in a long study costs no more than one early on."""
_DIGITS = 9  # of the worth relative to the largest: what a processor rounds otherwise decides nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """What the told trials say.

    Attributes:
        schedules: trained mixes, T of them, each once; never the baseline.
        params: of each, as the space decodes them, or empty where no sampler proposed it.
        gains: shape (T, columns), over the baseline, in units in which columns are comparable.
        seeds: shape (seeds, columns), of the baseline, in the same units; None: unknown.
        weights: of the columns in the objective.
        alike: how alike columns may be, from `alike_columns`.
        usual: learning rate of the mixes that state none; None: all do, or none does.
    """

    schedules: tuple[Schedule, ...]
    params: tuple[Mapping[str, Any], ...]
    gains: Array
    seeds: Array | None
    weights: Array
    alike: tuple[Array, ...] = ()
    usual: float | None = None

    def cut(self) -> Told:
        """Return what the surrogate is fitted to: `telling_rows` of these mixes."""
        if len(self.schedules) <= MOST_MIXES:
            return self
        rows = telling_rows(self.gains @ self.weights)
        return replace(
            self,
            schedules=tuple(self.schedules[row] for row in rows),
            params=tuple(self.params[row] for row in rows),
            gains=self.gains[rows],
        )


def telling_rows(values: Array) -> NDArray[np.int64]:
    """Return which of many mixes are fitted, sorted: those with the largest values, half of `MOST_MIXES`, and every n-th.

    n is a power of two, so that from one proposal to the next nearly all are the same, and known already.
    """
    count, half = len(values), MOST_MIXES // 2
    if count <= MOST_MIXES:
        return np.arange(count)
    apart = 1 << (-(-count // half) - 1).bit_length()
    return np.union1d(np.argsort(-values, kind="stable")[:half], np.arange(0, count, apart))


def ranked_mixes(
    space: SearchSpace, told: Told, pending: Sequence[Schedule], rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Yield parameters of mixes to train next, the most promising first; nothing with fewer than `MIN_MIXES` mixes.

    A mix may be one that was trained already: the caller passes over it.

    Args:
        space: with tasks and steps filled in.
        told: what is known.
        pending: mixes that are being trained.
        rng: draws the candidates; the answer is a pure function of all arguments.
    """
    if len(told.schedules) < MIN_MIXES:
        return
    told = told.cut()
    fitted = _fitted(space, told, pending)
    held = fitted.trained_mean()
    listed = bool(space.rules or space.methods)
    mixes = _Drawn.of(space, rng) if listed else _candidates(space, told, held, rng)
    for row in _ranked(fitted, told, held, mixes.arrays(space, fitted.surrogate.tasks, told.usual))[:_YIELDED]:
        yield mixes.params(int(row), space)


def most_promising(space: SearchSpace, told: Told, among: Sequence[Schedule]) -> Schedule:
    """Return the mix to train next where only these can be trained, as in a replay of recorded trainings."""
    told = told.cut()
    fitted = _fitted(space, told, ())
    arrays = ScheduleArrays.of(among, fitted.surrogate.tasks, told.usual)
    return among[int(_ranked(fitted, told, fitted.trained_mean(), arrays)[0])]


def _ranked(fitted: FittedSurrogate, told: Told, held: Array, mixes: ScheduleArrays) -> NDArray[np.int64]:
    """Return the mixes' rows, the most promising first."""
    seen = fitted.predict(mixes)
    worth = improvement(seen.mean - held.max(axis=0), seen.step) @ (told.weights / told.weights.sum())
    return np.argsort(-np.round(worth / max(1e-12, float(worth.max())), _DIGITS), kind="stable")


def improvement(ahead: Array, spread: Array) -> Array:
    """Return the mean of max(0, x) where x is normal with mean `ahead` and deviation `spread`."""
    from scipy.special import ndtr

    z = ahead / np.maximum(spread, 1e-12)
    return np.asarray(ahead * ndtr(z) + spread * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))


def _fitted(space: SearchSpace, told: Told, pending: Sequence[Schedule]) -> FittedSurrogate:
    fitted = FittedSurrogate.of(surrogate_over(told.schedules, space.tasks, told.usual), told.gains, told.seeds, told.alike)
    new = [schedule for schedule in dict.fromkeys(pending) if schedule.stages and schedule not in told.schedules]
    return fitted.with_guessed(new) if new else fitted


@dataclass(frozen=True, kw_only=True, eq=False)
class _Drawn:
    """Random mixes of a space whose shares follow from rules, or that searches training methods: no edit is known there."""

    drawn: tuple[dict[str, Any], ...]
    schedules: tuple[Schedule, ...]

    @classmethod
    def of(cls, space: SearchSpace, rng: np.random.Generator) -> _Drawn:
        draw = random.Random(int(rng.integers(2**63)))
        found = {mix: params for _ in range(_RANDOM) if (mix := decode(space, params := random_params(space, draw)))}
        return cls(drawn=tuple(found.values()), schedules=tuple(found))

    def arrays(self, space: SearchSpace, tasks: Sequence[str], usual: float | None) -> ScheduleArrays:
        return ScheduleArrays.of(self.schedules, tasks, usual)

    def params(self, row: int, space: SearchSpace) -> dict[str, Any]:
        return self.drawn[row]


def _candidates(space: SearchSpace, told: Told, held: Array, rng: np.random.Generator) -> CandidateMixes:
    known = [row for row, params in enumerate(told.params) if "steps" in params]
    parts = [random_mixes(space, rng, _RANDOM)]
    if known:
        best = np.argsort(-(held[known] @ told.weights), kind="stable")[:_PARENTS]
        rows = dict.fromkeys([known[int(row)] for row in (*best, *held[known].argmax(axis=0))])
        parents = CandidateMixes.of([told.params[row] for row in list(rows)[:_MOST_PARENTS]], space)
        once = edited(parents.repeated(_ONCE), space, rng, blocks=_ONCE)
        parts = [once, edited(once.rows(range(_TWICE * len(parents))), space, rng, blocks=_TWICE), *parts]
    return CandidateMixes.joined(parts)
