"""`ScheduleArrays`: schedules as arrays, and edits of them: a task left out or moved, or all tasks trained jointly.

Only what the surrogate's features need is kept: shares of the whole phase, the order of tasks, whether the mixture moves,
and the length. Leaving a task out gives its share to the others in proportion, at the same length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

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
    """

    share: Array
    rank: NDArray[np.int64]
    moves: Array
    length: Array

    @classmethod
    def of(cls, schedules: Sequence[Schedule], tasks: Sequence[str]) -> ScheduleArrays:
        """Convert schedules; `tasks` are the columns in their order."""
        column = {task: i for i, task in enumerate(tasks)}
        share = np.zeros((len(schedules), len(tasks)))
        rank = np.full((len(schedules), len(tasks)), -1)
        for row, schedule in enumerate(schedules):
            for place, task in enumerate(schedule.order):
                share[row, column[task]] = float(schedule.share(task))
                rank[row, column[task]] = place
        return cls(
            share=share,
            rank=rank,
            moves=np.array([_moves(schedule) for schedule in schedules]),
            length=np.array([math.log2(s.steps) if s.stages else 0.0 for s in schedules]),
        )

    @classmethod
    def even(cls, members: NDArray[np.bool_], steps: int) -> ScheduleArrays:
        """Return joint schedules with equal shares of each row's tasks; `members` has shape (schedules, p)."""
        count = members.sum(axis=1, keepdims=True)
        rank = np.where(members, members.cumsum(axis=1) - 1, -1)
        length = np.where(count[:, 0] > 0, math.log2(steps), 0.0)
        return cls(share=members / np.maximum(1, count), rank=rank, moves=np.zeros(len(members)), length=length)

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
        return ScheduleArrays(
            share=self.share[chosen], rank=self.rank[chosen], moves=self.moves[chosen], length=self.length[chosen]
        )

    def without(self, task: int) -> ScheduleArrays:
        """Remove that task from each; every row must have another one."""
        share = self.share.copy()
        share[:, task] = 0.0
        share /= share.sum(axis=1, keepdims=True)
        own = np.where(self.rank[:, [task]] >= 0, self.rank[:, [task]], self.rank.shape[1])
        rank = self.rank - (self.rank > own)
        rank[:, task] = -1
        moves = np.where((share > 0).sum(axis=1) > 1, self.moves, 0.0)
        return ScheduleArrays(share=share, rank=rank, moves=moves, length=self.length)

    def moved(self, task: int, *, last: bool) -> ScheduleArrays:
        """Move that task, which each must have, to the end or the start of the order."""
        own = self.rank[:, [task]]
        rank = np.where(self.rank < 0, -1, self.rank - (self.rank > own) if last else self.rank + (self.rank < own))
        rank[:, task] = self.count - 1 if last else 0
        return ScheduleArrays(share=self.share, rank=rank, moves=self.moves, length=self.length)

    def together(self) -> ScheduleArrays:
        """Train the tasks of each jointly."""
        return ScheduleArrays(share=self.share, rank=self.rank, moves=np.zeros(len(self.moves)), length=self.length)


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
