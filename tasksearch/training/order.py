"""The examples of each optimiser step: pure, and exact to one example.

Two rules make joint and sequential runs matched pairs: the order of a task's own examples is drawn from (seed, task) alone, and
a
stage's shares become whole counts of examples by largest remainder. Only the interleaving differs within a pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tasksearch.core.plan import Mixing
from tasksearch.core.schedule import Stage
from tasksearch.core.shares import largest_remainder
from tasksearch.core.signature import seed_from

StepTasks = tuple[tuple[str, int], ...]
"""The content of one step: (task, examples), summing to the batch size."""

_BUCKET = 100
"""Batches per length bucket: on real text 1 to 2 % of a batch is padding, against 33 to 67 % in random batches."""


def stage_counts(stage: Stage, batch_size: int) -> dict[str, int]:
    """Return the examples per task over the stage: they sum to steps x batch_size, each within one example of its share."""
    total = stage.steps * batch_size
    wanted = [stage.share(task) * total for task in stage.tasks]
    return dict(zip(stage.tasks, largest_remainder(wanted, total), strict=True))


def stage_steps(stage: Stage, batch_size: int, *, seed: int, mixing: Mixing) -> list[StepTasks]:
    """Return the stage's steps in order.

    `task`: a step is of one task, placed by the task's cumulative share; examples that do not fill a step go into mixed steps
    at the end of the stage, fewer than there are tasks. `mixed`: every step has all tasks by their shares at that point.
    """
    counts = stage_counts(stage, batch_size)
    return _one_task_steps(stage, counts, batch_size, seed) if mixing == "task" else _mixed_steps(stage, counts, batch_size)


def _one_task_steps(stage: Stage, counts: dict[str, int], batch_size: int, seed: int) -> list[StepTasks]:
    placed: list[tuple[float, str]] = []
    for task, count in counts.items():
        offset = np.random.default_rng(seed_from("interleave", seed, task)).random()
        whole = count // batch_size
        placed += [(_time_of(stage, task, (k + offset) / max(1, whole)), task) for k in range(whole)]
    steps: list[StepTasks] = [((task, batch_size),) for _, task in sorted(placed)]
    return steps + _packed({task: count % batch_size for task, count in counts.items()}, batch_size)


def _time_of(stage: Stage, task: str, done: float) -> float:
    """Return the time, in [0, 1] of the stage, at which the share `done` of the task's examples has been shown."""
    first, last = float(stage.start.share(task)), float(stage.end.share(task))
    slope = last - first
    if abs(slope) < 1e-12:
        return done
    area = done * (first + last) / 2
    return float((np.sqrt(max(0.0, first * first + 2 * slope * area)) - first) / slope)


def _packed(rest: dict[str, int], batch_size: int) -> list[StepTasks]:
    """Pack the remainders into steps of exactly `batch_size`; their sum is a multiple of it."""
    steps: list[StepTasks] = []
    current: list[tuple[str, int]] = []
    room = batch_size
    for task, left in sorted(rest.items()):
        remaining = left
        while remaining:
            take = min(room, remaining)
            current.append((task, take))
            room, remaining = room - take, remaining - take
            if not room:
                steps.append(tuple(current))
                current, room = [], batch_size
    assert not current, "remainders of a stage fill whole steps"
    return steps


def _mixed_steps(stage: Stage, counts: dict[str, int], batch_size: int) -> list[StepTasks]:
    """Return cumulative counts at the end of each step, rounded so that steps are full and no count decreases."""
    given = dict.fromkeys(stage.tasks, 0)
    steps: list[StepTasks] = []
    for number in range(1, stage.steps + 1):
        at = Fraction(number, stage.steps)
        due = {task: _cumulative(stage, task, at) * stage.steps * batch_size for task in stage.tasks}
        need = [max(Fraction(0), due[task] - given[task]) for task in stage.tasks]
        caps = [counts[task] - given[task] for task in stage.tasks]
        take = _capped(need, caps, batch_size)
        for task, n in zip(stage.tasks, take, strict=True):
            given[task] += n
        steps.append(tuple((task, n) for task, n in zip(stage.tasks, take, strict=True) if n))
    return steps


def _cumulative(stage: Stage, task: str, at: Fraction) -> Fraction:
    """Return the share of the stage's examples that are of this task and shown by time `at`, in [0, 1]."""
    first, last = stage.start.share(task), stage.end.share(task)
    return first * at + (last - first) * at * at / 2


def _capped(need: list[Fraction], caps: list[int], total: int) -> list[int]:
    """Apportion by largest remainder with a cap for each; what a cap cuts off goes to the others."""
    take = [min(n, cap) for n, cap in zip(largest_remainder(need, total), caps, strict=True)]
    while (short := total - sum(take)) > 0:
        i = max(range(len(take)), key=lambda j: (caps[j] > take[j], need[j] - take[j], -j))
        take[i] += min(short, 1)
    return take


def example_order(
    task: str, seed: int, lengths: npt.NDArray[np.int64], batch_size: int, count: int, skip: int
) -> npt.NDArray[np.int64]:
    """Return items skip … skip + count - 1 of the task's endless sequence: epochs of a seeded permutation, bucketed by length.

    Within a bucket of 100 batches items of similar length are batched together, and the batches are shuffled: padding is small
    and the sequence depends on (seed, task, batch size, lengths) alone.
    """
    size = len(lengths)
    parts = []
    for epoch in range(skip // size, (skip + count - 1) // size + 1 if count else 0):
        parts.append(_epoch_order(task, seed, lengths, batch_size, epoch))
    if not parts:
        return np.empty(0, dtype=np.int64)
    begin = skip - (skip // size) * size
    return np.concatenate(parts)[begin : begin + count]


def _epoch_order(task: str, seed: int, lengths: npt.NDArray[np.int64], batch_size: int, epoch: int) -> npt.NDArray[np.int64]:
    draw = np.random.default_rng(seed_from("order", seed, task, epoch))
    order = draw.permutation(len(lengths))
    window = batch_size * _BUCKET
    batches: list[npt.NDArray[np.int64]] = []
    tail: list[npt.NDArray[np.int64]] = []
    for begin in range(0, len(order), window):
        bucket = order[begin : begin + window]
        bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
        cut = [bucket[i : i + batch_size] for i in range(0, len(bucket), batch_size)]
        if len(cut[-1]) < batch_size:  # only the epoch's last bucket has one
            tail.append(cut.pop())
        batches.extend(cut[i] for i in draw.permutation(len(cut)))
    return np.concatenate(batches + tail).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Items that are trained beside a step's examples, with a loss of their own and no share in the step.

    Attributes:
        strength: factor of the gradient that their head reverses.
    """

    task: str
    items: npt.NDArray[np.int64]
    strength: float


@dataclass(frozen=True, kw_only=True)
class StepItems:
    """One step with its items: (task, item indices) in the order of the step's tasks.

    Attributes:
        beside: what a method trains beside them; it does not count among the step's examples.
    """

    parts: tuple[tuple[str, npt.NDArray[np.int64]], ...]
    beside: tuple[Beside, ...] = ()

    @property
    def everything(self) -> tuple[tuple[str, npt.NDArray[np.int64]], ...]:
        """All items that pass through the model."""
        return (*self.parts, *((one.task, one.items) for one in self.beside))

    @property
    def size(self) -> int:
        """Number of examples in the step."""
        return sum(len(items) for _, items in self.parts)


def draw_items(
    steps: list[StepTasks], lengths: dict[str, npt.NDArray[np.int64]], batch_size: int, *, seed: int, skip: dict[str, int]
) -> list[StepItems]:
    """Yield the steps with their items. `skip`: examples of each task that earlier stages of the phase have shown."""
    counts: dict[str, int] = {}
    for step in steps:
        for task, n in step:
            counts[task] = counts.get(task, 0) + n
    queues = {task: example_order(task, seed, lengths[task], batch_size, n, skip.get(task, 0)) for task, n in counts.items()}
    at = dict.fromkeys(counts, 0)
    filled = []
    for step in steps:
        parts = []
        for task, n in step:
            parts.append((task, queues[task][at[task] : at[task] + n]))
            at[task] += n
        filled.append(StepItems(parts=tuple(parts)))
    return filled
