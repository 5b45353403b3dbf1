"""Features of schedules for the surrogate, in seven blocks.

share     √ of each task's share of the examples (the root: the first eighth of a task does more than the second)
presence  whether the task is in the mix
order     where the task stands, from -1 (first) to 1 (last), for a schedule whose mixture moves; 0 in a joint one
kind      how far the mixture moves (1 sequential, 0.5 annealed, 0 joint; less where an annealed one keeps all tasks at both
          ends, as between two rules); whether annealed, and how far; number of tasks (0 for one, 1 for
          all); the first times the third; log2 of the steps
pairs     4 · share · share of every two tasks
rate      log8 of the learning rate over 1e-5, and that times √ of each task's share; 0 where the search does not vary it
before    the same as pairs, times 1 where the task of the lower name comes first and -1 where it comes last; 0 in a joint mix
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.schedule import Schedule
from tasksearch.search.surrogate.schedule_arrays import MOVES, ScheduleArrays

Array = NDArray[np.float64]


def features(schedules: Sequence[Schedule], tasks: Sequence[str]) -> dict[str, Array]:
    """Return block → array of shape (schedules, columns). The baseline is a row of zeros."""
    return blocks_of(ScheduleArrays.of(schedules, tasks))


def blocks_of(arrays: ScheduleArrays) -> dict[str, Array]:
    """Return block → array of shape (schedules, columns)."""
    share, present, count, moves = arrays.share, arrays.present, arrays.count, arrays.moves
    annealed = np.where(moves <= MOVES["annealed"], moves / MOVES["annealed"], 0.0)
    width = share.shape[1]
    place = np.where(present & (count[:, np.newaxis] > 1), 2 * arrays.rank / np.maximum(1, count - 1)[:, np.newaxis] - 1, 0.0)
    crowd = np.maximum(0, count - 1) / max(1, width - 1)
    first, second = np.triu_indices(width, 1)
    pairs = 4 * share[:, first] * share[:, second]
    ahead = np.where(arrays.rank[:, first] < arrays.rank[:, second], 1.0, -1.0)
    return {
        "share": np.sqrt(share),
        "presence": present.astype(np.float64),
        "order": moves[:, np.newaxis] * place,
        "kind": np.stack([moves, annealed, crowd, moves * crowd, arrays.length], axis=1),
        "pairs": pairs,
        "rate": arrays.rate[:, np.newaxis] * np.hstack([np.ones((len(share), 1)), np.sqrt(share)]),
        "before": pairs * ahead * moves[:, np.newaxis],
    }


def tasks_of(schedules: Sequence[Schedule]) -> tuple[str, ...]:
    """Return every task of these schedules, sorted."""
    return tuple(sorted({task for schedule in schedules for task in schedule.tasks}))
