"""The gradient of one step, accumulated over as many forward passes as memory requires.

However a step is cut, its examples, padding, masking and dropout are those of the uncut step, so its gradient is the same up to
the order of sums (for the one exception, on CUDA, see `forward.dropout`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import numpy.typing as npt
import torch

from tasksearch.core.errors import TrainingFailed
from tasksearch.core.plan import TrainSettings
from tasksearch.core.signature import seed_from
from tasksearch.forward.batches import MASK_SHARE, Batch, collate
from tasksearch.forward.device import autocast
from tasksearch.forward.dropout import RowRange, StepDropout
from tasksearch.forward.memory import recomputed
from tasksearch.forward.passes import loss_sum
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.micro import MicroSizes, is_out_of_memory
from tasksearch.training.order import StepItems


def step_gradient(
    learner: Learner,
    tasks: Mapping[str, TrainingTask],
    step: StepItems,
    settings: TrainSettings,
    randomness: str,
    number: int,
    *,
    sizes: MicroSizes | None = None,
    mask_share: float = MASK_SHARE,
) -> torch.Tensor:
    """Compute the step's gradient and return its loss, a tensor on the device.

    When memory runs out the step starts again with half the micro-batch.

    Raises:
        TrainingFailed: memory runs out with one example at a time.
    """
    sizes = sizes if sizes is not None else MicroSizes()
    while True:
        try:
            return accumulate(learner, tasks, step, settings, randomness, number, mask_share, sizes)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # outside `except`: the error's frames hold the activations that have to go
        learner.clear_gradients()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if not sizes.halve():
            raise TrainingFailed(
                f"out of memory with one example of {sizes.current!r} at a time; "
                f"shorten max_length (now {settings.max_length}), use bf16 or a larger GPU"
            )


def accumulate(
    learner: Learner,
    tasks: Mapping[str, TrainingTask],
    step: StepItems,
    settings: TrainSettings,
    randomness: str,
    number: int,
    mask_share: float,
    sizes: MicroSizes | None = None,
) -> torch.Tensor:
    """Accumulate the step's gradient and return its loss, a tensor on the device.

    The loss is the sum of the tasks' means, weighted by their shares of the step.
    """
    sizes = sizes if sizes is not None else MicroSizes()
    total = torch.zeros((), device=learner.device)
    for task_name, items in step.parts:
        task = tasks[task_name]
        micro = sizes.of(task_name, settings.micro_batch_size or len(items), len(items))
        share = len(items) / step.size
        total += _part(
            learner,
            task,
            items,
            settings,
            seed_from("step", randomness, number, task.seeds or task_name),
            mask_share,
            micro,
            share,
            sizes.room,
        )
    return total


def _part(
    learner: Learner,
    task: TrainingTask,
    items: npt.NDArray[np.int64],
    settings: TrainSettings,
    seed: int,
    mask_share: float,
    micro: int,
    share: float,
    room: int | None,
) -> torch.Tensor:
    """Run one task's share of the step backwards; return the loss that it adds."""
    whole = collate(task.items, items, learner.specials, mask_seed=seed, mask_share=mask_share)
    head = learner.heads[task.head] if task.head is not None else None
    total = torch.zeros((), device=learner.device)
    for batch, dropout in _cut(whole, len(items), micro):
        _seed_dropout(seed, learner.device)
        sequences, tokens = batch.ids.shape
        with dropout, autocast(learner.device, settings.precision), recomputed(learner.model, sequences, tokens, room, dropout):
            loss = loss_sum(learner.model, head, batch.to(learner.device), learner.specials)
        part = loss * (share / max(1, whole.units))
        part.backward()  # type: ignore[no-untyped-call]
        total += part.detach()
    return total


def _cut(whole: Batch, items: int, micro: int) -> Iterator[tuple[Batch, AbstractContextManager[object]]]:
    """Yield parts of at most `micro` items, each with the dropout of its rows; an uncut step uses torch's own dropout."""
    if micro >= items:
        yield whole, nullcontext()
        return
    tags = 0
    for first in range(0, items, micro):
        part = whole.part(first, min(first + micro, items))
        rows = RowRange(first=first * whole.choices, last=first * whole.choices + len(part.ids), total=len(whole.ids))
        tagged = RowRange(first=tags, last=tags + len(part.rows), total=len(whole.rows)) if whole.kind == "tagging" else None
        tags += len(part.rows)
        yield part, StepDropout(rows, tagged)


def _seed_dropout(seed: int, device: torch.device) -> None:
    """Seed the generator that dropout draws from; `torch.manual_seed` would take 2 ms a step, also for absent devices."""
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
