"""`ScheduleArrays`: schedules as arrays, and edits of them: a task left out or moved, or all tasks trained jointly.

Only what the surrogate's features need is kept: shares of the whole phase, the order of tasks, whether the mixture moves,
the length and the learning rate. Leaving a task out gives its share to the others in proportion, at the same length.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.schedule import Schedule

Array = NDArray[np.float64]
MOVES = {"sequential": 1.0, "staged": 1.0, "annealed": 0.5}
"""Kind of schedule → how far its mixture moves; 0 for the others."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ScheduleArrays:
    """Schedules over p tasks.

    Attributes:
        share: shape (schedules, p), of the examples of the whole phase; rows sum to one, or to zero for the baseline.
        rank: shape (schedules, p), place in the order of arrival from 0, -1 for a task that is absent.
        moves: shape (schedules,), in [0, 1]; 0 for less than two tasks.
        length: shape (schedules,), log2 of the steps; 0 for the baseline.
        rate: shape (schedules,), log8 of the learning rate over 1e-5; 0 where no mix states one, and for the baseline.
    """

    share: Array
    rank: NDArray[np.int64]
    moves: Array
    length: Array
    rate: Array

    @classmethod
    def of(cls, schedules: Sequence[Schedule], tasks: Sequence[str], usual: float | None = None) -> ScheduleArrays:
        """Convert schedules.

        Args:
            tasks: the columns in their order.
            usual: learning rate of the schedules that state none; None: no schedule states one.
        """
        columns = tuple(tasks)
        rows = [_row(schedule, columns) for schedule in schedules]
        return cls(
            share=np.array([row[0] for row in rows], dtype=np.float64).reshape(len(rows), len(tasks)),
            rank=np.array([row[1] for row in rows], dtype=np.int64).reshape(len(rows), len(tasks)),
            moves=np.array([row[2] for row in rows]),
            length=np.array([row[3] for row in rows]),
            rate=np.array([log_rate(one.learning_rate or (usual if one.stages else None)) for one in schedules]),
        )

    @classmethod
    def even(cls, members: NDArray[np.bool_], steps: int, learning_rate: float | None = None) -> ScheduleArrays:
        """Return joint schedules with equal shares of each row's tasks; `members` has shape (schedules, p)."""
        count = members.sum(axis=1, keepdims=True)
        rank = np.where(members, members.cumsum(axis=1) - 1, -1)
        length = np.where(count[:, 0] > 0, math.log2(steps), 0.0)
        rate = np.where(count[:, 0] > 0, log_rate(learning_rate), 0.0)
        return cls(share=members / np.maximum(1, count), rank=rank, moves=np.zeros(len(members)), length=length, rate=rate)

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which tasks each schedule has, shape (schedules, p)."""
        return self.share > 0

    @property
    def count(self) -> NDArray[np.int64]:
        """Number of tasks of each schedule, shape (schedules,)."""
        return np.asarray(self.present.sum(axis=1))

    def rows(self, chosen: NDArray[np.bool_]) -> ScheduleArrays:
        """Return the chosen rows."""
        return ScheduleArrays(**{one.name: getattr(self, one.name)[chosen] for one in dataclasses.fields(self)})

    def without(self, task: int) -> ScheduleArrays:
        """Remove that task from each; every row must have another one."""
        share = self.share.copy()
        share[:, task] = 0.0
        share /= share.sum(axis=1, keepdims=True)
        own = np.where(self.rank[:, [task]] >= 0, self.rank[:, [task]], self.rank.shape[1])
        rank = self.rank - (self.rank > own)
        rank[:, task] = -1
        moves = np.where((share > 0).sum(axis=1) > 1, self.moves, 0.0)
        return dataclasses.replace(self, share=share, rank=rank, moves=moves)

    def moved(self, task: int, *, last: bool) -> ScheduleArrays:
        """Move that task, which each must have, to the end or the start of the order."""
        own = self.rank[:, [task]]
        rank = np.where(self.rank < 0, -1, self.rank - (self.rank > own) if last else self.rank + (self.rank < own))
        rank[:, task] = self.count - 1 if last else 0
        return dataclasses.replace(self, rank=rank)

    def together(self) -> ScheduleArrays:
        """Train the tasks of each jointly."""
        return dataclasses.replace(self, moves=np.zeros(len(self.moves)))


def log_rate(learning_rate: float | None) -> float:
    """Return log8 of a learning rate over 1e-5; 0 where no mix of the study states one."""
    return 0.0 if learning_rate is None else math.log2(learning_rate / 1e-5) / 3


@lru_cache(maxsize=4096)
def _row(schedule: Schedule, tasks: tuple[str, ...]) -> tuple[tuple[float, ...], tuple[int, ...], float, float]:
    """Return a row of every array, kept because exact fractions are slow and a search asks again and again."""
    place = {task: i for i, task in enumerate(schedule.order)}
    assert all(task in tasks for task in place), "a schedule has a task that is no column"
    return (
        tuple(float(schedule.share(task)) if task in place else 0.0 for task in tasks),
        tuple(place.get(task, -1) for task in tasks),
        _moves(schedule),
        math.log2(schedule.steps) if schedule.stages else 0.0,
    )


def _moves(schedule: Schedule) -> float:
    """Return how far the mixture moves.

    One that is annealed between two mixtures of the same tasks, as between two rules, moves by the share that changes hands: a
    twin of a joint mix drops a task at each end and counts in full.
    """
    if len(schedule.tasks) < 2:
        return 0.0
    whole = MOVES.get(schedule.kind, 0.0)
    if schedule.kind != "annealed" or schedule.stages[0].start.tasks != schedule.stages[0].end.tasks:
        return whole
    start, end = schedule.stages[0].start, schedule.stages[0].end
    return whole * float(sum(abs(share - end.share(task)) for task, share in start)) / 2
