"""The effects that are estimated: of leaving a task out, of its place in the order, its Shapley value; of training tasks
one after the other; and of pairs beyond what each task does alone.

Each is one weighted sum over mixes (`contrasts.Contrast`), an average over the trained mixes that it concerns:

drop      gain of a mix without the task, its share given to the others, less that of the mix; over mixes that hold another
last      the task moved to the end of the order less moved to its start; over mixes whose mixture moves and that hold it
rate      a mix at the highest learning rate of the search less it at the lowest; over all mixes, where both were tried with
          one kind of schedule
kind      a mix as it was trained, one task after the other (or annealed), less its tasks jointly
pair      mix - without the one - without the other + without both; over mixes that hold both and a third task
shapley   of the game in which the value of a set of tasks is the gain of training them jointly in equal shares
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.task_effects.contrasts import Contrast, contrast_of_any, contrast_of_trained
from tasksearch.analysis.task_effects.shapley import MOST_PLAYERS, coalitions, shapley_weights
from tasksearch.search.surrogate.multitask_gp import Surrogate
from tasksearch.search.surrogate.schedule_arrays import MOVES, ScheduleArrays, log_rate

LEAST = 2
"""Trained mixes that an effect must concern to be estimated."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectQuestion:
    """One effect to estimate.

    Attributes:
        kind: `drop`, `rate`, `last`, `kind`, `pair` or `shapley`.
        about: tasks, the kind of schedule, or two learning rates.
        mixes: trained mixes that it is an average over; for `shapley` all.
        contrast: the weighted sum that estimates it.
    """

    kind: str
    about: tuple[str, ...]
    mixes: int
    contrast: Contrast


def effect_questions(surrogate: Surrogate) -> list[EffectQuestion]:
    """Return every effect that the trained mixes allow, drops first."""
    arrays = surrogate.arrays
    found = [*_drops(surrogate, arrays), *_rates(surrogate, arrays), *_lasts(surrogate, arrays), *_kinds(surrogate, arrays)]
    found += _pairs(surrogate, arrays)
    return found + (list(_shapley(surrogate)) if len(surrogate.tasks) <= MOST_PLAYERS else [])


def usual_steps(surrogate: Surrogate) -> int:
    """Return the length that most trained mixes have; of equally frequent ones the longest."""
    counts = Counter(schedule.steps for schedule in surrogate.schedules if schedule.stages)
    return max(counts, key=lambda steps: (counts[steps], steps))


def usual_rate(surrogate: Surrogate) -> float | None:
    """Return the learning rate that most trained mixes have, of equally frequent ones the lowest; None where all have one."""
    counts = Counter(rate for rate in _each_rate(surrogate) if rate is not None)
    return min(counts, key=lambda rate: (-counts[rate], rate)) if counts else None


def _each_rate(surrogate: Surrogate) -> list[float | None]:
    """Return the learning rate of every mix; None where no mix states one, and for the baseline."""
    return [schedule.learning_rate or (surrogate.usual if schedule.stages else None) for schedule in surrogate.schedules]


def _drops(surrogate: Surrogate, arrays: ScheduleArrays) -> Iterator[EffectQuestion]:
    for place, task in enumerate(surrogate.tasks):
        there = arrays.present[:, place] & (arrays.count > 1)
        if there.sum() >= LEAST:
            contrast = _mean(surrogate, arrays.rows(there).without(place)) + _trained(surrogate, there, -1.0)
            yield EffectQuestion(kind="drop", about=(task,), mixes=int(there.sum()), contrast=contrast)


def _rates(surrogate: Surrogate, arrays: ScheduleArrays) -> Iterator[EffectQuestion]:
    each = _each_rate(surrogate)
    tried = {rate for rate in each if rate is not None}
    if len(tried) < 2:
        return
    low, high = min(tried), max(tried)
    alike = Counter(zip((schedule.kind for schedule in surrogate.schedules), each, strict=True))
    # arms of matched pairs may have one rate jointly and another in order: which of the two it was cannot be told
    if any(min(alike[kind, low], alike[kind, high]) >= LEAST for kind, _ in alike):
        there = np.array([rate is not None for rate in each])
        rows, size = arrays.rows(there), int(there.sum())
        one, two = (dataclasses.replace(rows, rate=np.full(size, log_rate(rate))) for rate in (high, low))
        contrast = _mean(surrogate, one) + _mean(surrogate, two, -1.0)
        contrast = dataclasses.replace(contrast, needs="rate")
        yield EffectQuestion(kind="rate", about=(f"{high:g}", f"{low:g}"), mixes=size, contrast=contrast)


def _lasts(surrogate: Surrogate, arrays: ScheduleArrays) -> Iterator[EffectQuestion]:
    for place, task in enumerate(surrogate.tasks):
        there = arrays.present[:, place] & (arrays.moves > 0)
        if there.sum() >= LEAST:
            rows = arrays.rows(there)
            contrast = _mean(surrogate, rows.moved(place, last=True)) + _mean(surrogate, rows.moved(place, last=False), -1.0)
            contrast = dataclasses.replace(contrast, needs="order")
            yield EffectQuestion(kind="last", about=(task,), mixes=int(there.sum()), contrast=contrast)


def _kinds(surrogate: Surrogate, arrays: ScheduleArrays) -> Iterator[EffectQuestion]:
    for name in ("sequential", "annealed"):
        there = arrays.moves == MOVES[name]
        if there.sum() >= LEAST:
            contrast = _trained(surrogate, there) + _mean(surrogate, arrays.rows(there).together(), -1.0)
            contrast = dataclasses.replace(contrast, needs="order")
            yield EffectQuestion(kind="kind", about=(name,), mixes=int(there.sum()), contrast=contrast)


def _pairs(surrogate: Surrogate, arrays: ScheduleArrays) -> Iterator[EffectQuestion]:
    for first, second in zip(*np.triu_indices(len(surrogate.tasks), 1), strict=True):
        there = arrays.present[:, first] & arrays.present[:, second] & (arrays.count > 2)
        if there.sum() >= LEAST:
            rows = arrays.rows(there)
            one, two = rows.without(int(first)), rows.without(int(second))
            contrast = _trained(surrogate, there) + _mean(surrogate, one, -1.0) + _mean(surrogate, two, -1.0)
            contrast = contrast + _mean(surrogate, one.without(int(second)))
            about = (surrogate.tasks[first], surrogate.tasks[second])
            yield EffectQuestion(kind="pair", about=about, mixes=int(there.sum()), contrast=contrast)


def _shapley(surrogate: Surrogate) -> Iterator[EffectQuestion]:
    members = coalitions(len(surrogate.tasks))
    arrays = ScheduleArrays.even(members, usual_steps(surrogate), usual_rate(surrogate))
    for task, weights in zip(surrogate.tasks, shapley_weights(len(surrogate.tasks)), strict=True):
        yield EffectQuestion(
            kind="shapley", about=(task,), mixes=len(surrogate.schedules), contrast=contrast_of_any(surrogate, arrays, weights)
        )


def _mean(surrogate: Surrogate, arrays: ScheduleArrays, sign: float = 1.0) -> Contrast:
    count = len(arrays.moves)
    return contrast_of_any(surrogate, arrays, np.full(count, sign / count))


def _trained(surrogate: Surrogate, there: NDArray[np.bool_], sign: float = 1.0) -> Contrast:
    return contrast_of_trained(surrogate, sign * there / there.sum())
