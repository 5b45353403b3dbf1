"""What is asked of the surrogate to say why: for every task what leaving it out does, its place in the order, its Shapley
value; for schedules what moving from task to task does; for pairs what they do together beyond what each does alone.

Each question is one weighted sum over mixes (`effects.Contrast`), an average over the trained mixes that it concerns:

drop      worth of a mix without the task, its share given to the others, less that of the mix; over mixes that hold another
last      the task moved to the end of the order less moved to its start; over mixes whose mixture moves and that hold it
kind      a mix as it was trained, one task after the other (or annealed), less its tasks jointly
pair      mix - without the one - without the other + without both; over mixes that hold both and a third task
shapley   of the game in which a coalition of tasks is worth what all of them bring, trained jointly in equal shares
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.task_effects.contrasts import Contrast, of_shapes, of_trained
from tasksearch.analysis.task_effects.shapley import MOST_PLAYERS, coalitions, shapley_weights
from tasksearch.search.surrogate.multitask_gp import Surrogate
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays

LEAST = 2
"""Mixes that a question must concern, to be asked."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectQuestion:
    """One question.

    Attributes:
        kind: `drop`, `last`, `kind`, `pair` or `shapley`.
        about: tasks, or the kind of schedule.
        mixes: trained mixes that it is an average over; for `shapley` all.
        contrast: how it is read.
    """

    kind: str
    about: tuple[str, ...]
    mixes: int
    contrast: Contrast


def effect_questions(surrogate: Surrogate) -> list[EffectQuestion]:
    """Every question that the trained mixes allow, drops first."""
    shapes = surrogate.shapes
    found = [*_drops(surrogate, shapes), *_lasts(surrogate, shapes), *_kinds(surrogate, shapes), *_pairs(surrogate, shapes)]
    return found + (list(_shapley(surrogate)) if len(surrogate.tasks) <= MOST_PLAYERS else [])


def usual_steps(surrogate: Surrogate) -> int:
    """The length that most trained mixes have; of equally many the longest."""
    counts = Counter(schedule.steps for schedule in surrogate.schedules if schedule.stages)
    return max(counts, key=lambda steps: (counts[steps], steps))


def _drops(surrogate: Surrogate, shapes: ScheduleArrays) -> Iterator[EffectQuestion]:
    for place, task in enumerate(surrogate.tasks):
        there = shapes.present[:, place] & (shapes.count > 1)
        if there.sum() >= LEAST:
            contrast = _mean(surrogate, shapes.rows(there).without(place)) + _trained(surrogate, there, -1.0)
            yield EffectQuestion(kind="drop", about=(task,), mixes=int(there.sum()), contrast=contrast)


def _lasts(surrogate: Surrogate, shapes: ScheduleArrays) -> Iterator[EffectQuestion]:
    for place, task in enumerate(surrogate.tasks):
        there = shapes.present[:, place] & (shapes.moves > 0)
        if there.sum() >= LEAST:
            rows = shapes.rows(there)
            contrast = _mean(surrogate, rows.moved(place, last=True)) + _mean(surrogate, rows.moved(place, last=False), -1.0)
            contrast = dataclasses.replace(contrast, needs="order")
            yield EffectQuestion(kind="last", about=(task,), mixes=int(there.sum()), contrast=contrast)


def _kinds(surrogate: Surrogate, shapes: ScheduleArrays) -> Iterator[EffectQuestion]:
    for name, moves in (("sequential", 1.0), ("annealed", 0.5)):
        there = shapes.moves == moves
        if there.sum() >= LEAST:
            contrast = _trained(surrogate, there) + _mean(surrogate, shapes.rows(there).together(), -1.0)
            contrast = dataclasses.replace(contrast, needs="order")
            yield EffectQuestion(kind="kind", about=(name,), mixes=int(there.sum()), contrast=contrast)


def _pairs(surrogate: Surrogate, shapes: ScheduleArrays) -> Iterator[EffectQuestion]:
    for first, second in zip(*np.triu_indices(len(surrogate.tasks), 1), strict=True):
        there = shapes.present[:, first] & shapes.present[:, second] & (shapes.count > 2)
        if there.sum() >= LEAST:
            rows = shapes.rows(there)
            one, two = rows.without(int(first)), rows.without(int(second))
            contrast = _trained(surrogate, there) + _mean(surrogate, one, -1.0) + _mean(surrogate, two, -1.0)
            contrast = contrast + _mean(surrogate, one.without(int(second)))
            about = (surrogate.tasks[first], surrogate.tasks[second])
            yield EffectQuestion(kind="pair", about=about, mixes=int(there.sum()), contrast=contrast)


def _shapley(surrogate: Surrogate) -> Iterator[EffectQuestion]:
    members = coalitions(len(surrogate.tasks))
    shapes = ScheduleArrays.even(members, usual_steps(surrogate))
    for task, weights in zip(surrogate.tasks, shapley_weights(len(surrogate.tasks)), strict=True):
        yield EffectQuestion(
            kind="shapley", about=(task,), mixes=len(surrogate.schedules), contrast=of_shapes(surrogate, shapes, weights)
        )


def _mean(surrogate: Surrogate, shapes: ScheduleArrays, sign: float = 1.0) -> Contrast:
    count = len(shapes.moves)
    return of_shapes(surrogate, shapes, np.full(count, sign / count))


def _trained(surrogate: Surrogate, there: NDArray[np.bool_], sign: float = 1.0) -> Contrast:
    return of_trained(surrogate, sign * there / there.sum())
