"""The gradient of one step, accumulated over as many forward passes as memory requires.

However a step is cut, its examples, padding, masking and dropout are those of the uncut step, so its gradient is the same up to
the order of sums (for the one exception, on CUDA, see `forward.dropout`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tasksearch.core.errors import TrainingFailed
from tasksearch.core.plan import TrainSettings
from tasksearch.core.signature import seed_from
from tasksearch.forward.batches import MASK_SHARE, Batch, collate
from tasksearch.forward.device import autocast
from tasksearch.forward.dropout import RowRange, StepDropout
from tasksearch.forward.memory import recomputed
from tasksearch.forward.passes import loss_sum
from tasksearch.forward.shift import shifted
from tasksearch.models.language_head import ReversedHead
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.methods import LossOf, StepPart, wrapped
from tasksearch.training.micro import MicroSizes, is_out_of_memory
from tasksearch.training.order import Beside, StepItems


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
    for beside in step.beside:
        _beside(learner, tasks[beside.task], beside, settings, seed_from("beside", randomness, number, beside.task), sizes)
    return total


def _beside(
    learner: Learner, task: TrainingTask, beside: Beside, settings: TrainSettings, seed: int, sizes: MicroSizes
) -> None:
    """Run what a method trains beside the step backwards: plainly, with its head's gradient reversed behind the head."""
    assert task.head is not None
    head = learner.heads[task.head]
    assert isinstance(head, ReversedHead)
    head.strength = beside.strength
    micro = sizes.of(beside.task, settings.micro_batch_size or len(beside.items), len(beside.items))
    _part(learner, task, beside.items, dataclasses.replace(settings, methods=()), seed, MASK_SHARE, micro, 1.0, sizes.room)


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
    for cut in _cut(whole, len(items), micro):
        plain = _loss_of(learner, head, cut, settings, seed, room)
        loss = wrapped(settings.methods, plain, _step_part(learner, whole, cut, seed)) if settings.methods else plain
        part = loss(None) * (share / max(1, whole.units))
        part.backward()  # type: ignore[no-untyped-call]
        total += part.detach()
    return total


def _loss_of(
    learner: Learner, head: nn.Module | None, cut: _Cut, settings: TrainSettings, seed: int, room: int | None
) -> LossOf:
    """Return the part's loss as a function of what is added to its input embeddings; every call draws the same dropout."""
    batch = cut.batch.to(learner.device)
    sequences, tokens = batch.ids.shape

    def loss(shift: torch.Tensor | None) -> torch.Tensor:
        _seed_dropout(seed, learner.device)
        kept = recomputed(learner.model, sequences, tokens, room, cut.dropout)
        with cut.dropout, shifted(learner.model, shift), autocast(learner.device, settings.precision), kept:
            return loss_sum(learner.model, head, batch, learner.specials)

    return loss


def _step_part(learner: Learner, whole: Batch, cut: _Cut, seed: int) -> StepPart:
    ids, (first, last) = whole.ids.to(learner.device), cut.rows
    return StepPart(model=learner.model, specials=learner.specials, whole=ids, first=first, last=last, seed=seed)


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """Part of a step's batch, with the dropout of its rows."""

    batch: Batch
    rows: tuple[int, int]
    dropout: AbstractContextManager[object]


def _cut(whole: Batch, items: int, micro: int) -> Iterator[_Cut]:
    """Yield parts of at most `micro` items; an uncut step uses torch's own dropout."""
    if micro >= items:
        yield _Cut(batch=whole, rows=(0, len(whole.ids)), dropout=nullcontext())
        return
    tags = 0
    for first in range(0, items, micro):
        part = whole.part(first, min(first + micro, items))
        rows = RowRange(first=first * whole.choices, last=first * whole.choices + len(part.ids), total=len(whole.ids))
        tagged = RowRange(first=tags, last=tags + len(part.rows), total=len(whole.rows)) if whole.kind == "tagging" else None
        tags += len(part.rows)
        yield _Cut(batch=part, rows=(rows.first, rows.last), dropout=StepDropout(rows, tagged))


def _seed_dropout(seed: int, device: torch.device) -> None:
    """Seed the generator that dropout draws from; `torch.manual_seed` would take 2 ms a step, also for absent devices."""
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
