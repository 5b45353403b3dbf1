"""Schedules as numbers: what a surrogate may see of a mix, in six blocks.

share     √ of each task's share of the examples (the root: the first eighth of a task does more than the second)
presence  whether the task is there at all
order     where the task stands, from -1 (first) to 1 (last), for a schedule whose mixture moves; 0 in a joint one
kind      joint, annealed or sequential; how many tasks; how long: and each of the first with the number of tasks
pairs     4 · share · share of every two tasks
before    the same, times 1 where the one of the lower name comes first and -1 where it comes last; 0 in a joint mix
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.schedule import Schedule

Array = NDArray[np.float64]

BLOCKS = ("share", "presence", "order", "kind", "pairs", "before")
_MOVES = {"sequential": 1.0, "staged": 1.0, "annealed": 0.5}


def features(schedules: Sequence[Schedule], tasks: Sequence[str]) -> dict[str, Array]:
    """Block → array of shape (schedules, columns). The baseline is a row of zeros."""
    rows = [_row(schedule, tasks) for schedule in schedules]
    return {block: np.array([row[block] for row in rows]).reshape(len(rows), -1) for block in BLOCKS}


def tasks_of(schedules: Sequence[Schedule]) -> tuple[str, ...]:
    """Every task that any of them holds, sorted."""
    return tuple(sorted({task for schedule in schedules for task in schedule.tasks}))


def _row(schedule: Schedule, tasks: Sequence[str]) -> dict[str, list[float]]:
    share = {task: float(schedule.share(task)) for task in schedule.tasks}
    moves, order = _MOVES.get(schedule.kind, 0.0), schedule.order if schedule.kind != "joint" else ()
    place = {task: 2 * i / max(1, len(order) - 1) - 1 for i, task in enumerate(order)} if len(order) > 1 else {}
    both = {(a, b): 4 * share.get(a, 0.0) * share.get(b, 0.0) for i, a in enumerate(tasks) for b in tasks[i + 1 :]}
    ahead = {(a, b): moves if place.get(a, 0.0) < place.get(b, 0.0) else -moves for a, b in both}
    crowd = max(0, len(share) - 1) / max(1, len(tasks) - 1)
    length = math.log2(schedule.steps) if schedule.stages else 0.0
    return {
        "share": [math.sqrt(share.get(task, 0.0)) for task in tasks],
        "presence": [float(task in share) for task in tasks],
        "order": [moves * place.get(task, 0.0) for task in tasks],
        "kind": [moves, float(moves == 0.5), crowd, moves * crowd, length],
        "pairs": list(both.values()),
        "before": [value * ahead[pair] for pair, value in both.items()],
    }
