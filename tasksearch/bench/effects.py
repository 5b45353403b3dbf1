"""Coverage of the intervals of task effects on planted worlds.

The truth of an effect is the same average over the same mixes, of true scores. Mixes that no schedule has exactly (an annealed
one with a task left out) are scored by their shares and order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.task_effects.effects import task_effects
from tasksearch.analysis.task_effects.questions import usual_steps
from tasksearch.analysis.task_effects.shapley import coalitions, shapley_weights
from tasksearch.bench.planted_world import Family, PlantedWorld, draw_world
from tasksearch.bench.simulate import GROUPS, proposed, searched
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.results.task_effects import Effect
from tasksearch.search.gain_table import GainTable
from tasksearch.search.objective import Baseline
from tasksearch.search.surrogate.schedule_arrays import MOVES, ScheduleArrays

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class CheckedEffect:
    """One effect in one row of one world.

    Attributes:
        row: language, or `all`.
        effect: as estimated.
        truth: points.
    """

    row: str
    effect: Effect
    truth: float

    @property
    def covered(self) -> bool:
        """Whether the interval contains the truth."""
        return self.effect.low <= self.truth <= self.effect.high


def checked(family: Family, number: int, trials: int) -> list[CheckedEffect]:
    """Return every effect that a study with so many trials estimates on that world, with its truth."""
    world = draw_world(family, number)
    records = searched(world, proposed(world, trials, number)).records
    table = GainTable.of(records, Baseline.of(records))
    assert table is not None and table.surrogate is not None
    told = task_effects(table, GROUPS, {})
    true = _Truth(world, [first.plan.schedule for first in table.firsts], told.tasks, usual_steps(table.surrogate))
    return [
        CheckedEffect(row=row.name, effect=effect, truth=float(true.of(effect)[true.columns(row.languages)].mean()))
        for row in told.rows
        for effect in row.effects
    ]


class _Truth:
    """True effects in the world, points, one number per language but English, sorted."""

    def __init__(self, world: PlantedWorld, schedules: Sequence[Schedule], tasks: tuple[str, ...], steps: int) -> None:
        self.world, self.tasks, self.steps = world, tasks, steps
        self.arrays = ScheduleArrays.of(schedules, tasks)
        self.languages = sorted(language for language in world.languages if language != ENGLISH)
        self._known: dict[tuple[str, tuple[str, ...]], Array] = {}

    def columns(self, languages: Sequence[str]) -> list[int]:
        return [self.languages.index(language) for language in languages]

    def of(self, effect: Effect) -> Array:
        key = (effect.kind, effect.about)
        if key not in self._known:
            self._known[key] = self._effect(*key)
        return self._known[key]

    def _effect(self, kind: str, about: tuple[str, ...]) -> Array:
        arrays = self.arrays
        if kind == "kind":
            rows = arrays.rows(arrays.moves == MOVES[about[0]])
            return self._points(rows) - self._points(rows.together())
        places = [self.tasks.index(task) for task in about]
        there = arrays.present[:, places].all(axis=1)
        if kind == "last":
            rows = arrays.rows(there & (arrays.moves > 0))
            return self._points(rows.moved(places[0], last=True)) - self._points(rows.moved(places[0], last=False))
        if kind == "shapley":
            members = coalitions(len(self.tasks))
            weights = shapley_weights(len(self.tasks))[places[0]]
            return np.asarray(weights @ self._each(ScheduleArrays.even(members, self.steps)))
        rows = arrays.rows(there & (arrays.count > len(places)))
        less = [self._points(rows.without(place)) for place in places]
        if kind == "drop":
            return less[0] - self._points(rows)
        return self._points(rows) - less[0] - less[1] + self._points(rows.without(places[0]).without(places[1]))

    def _points(self, arrays: ScheduleArrays) -> Array:
        return np.asarray(self._each(arrays).mean(axis=0))

    def _each(self, arrays: ScheduleArrays) -> Array:
        places = [self.tasks.index(task) for task in self.world.tasks]
        gains = self.world.gains_of(dataclasses.replace(arrays, share=arrays.share[:, places], rank=arrays.rank[:, places]))
        points = self.world.scores(gains) - self.world.scores(np.zeros((1, len(self.world.languages))))
        return np.asarray(points[:, [self.world.languages.index(language) for language in self.languages]])
