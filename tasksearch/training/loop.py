"""One segment of gradient steps: AdamW, one clip per step, accumulation, one learning-rate curve."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from tasksearch.core.errors import TrainingFailed
from tasksearch.core.plan import TrainSettings
from tasksearch.forward.batches import MASK_SHARE
from tasksearch.forward.memory import give_back, room_for_activations
from tasksearch.training.accumulate import step_gradient
from tasksearch.training.averaging import WeightAverage
from tasksearch.training.curves import Curve, StableCurve
from tasksearch.training.early_stopping import EarlyStopping
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.micro import MicroSizes
from tasksearch.training.optimizer import OptimizerState, clip_gradient, dump_state, load_state, make_optimizer
from tasksearch.training.order import StepItems
from tasksearch.training.probe import probe
from tasksearch.training.vocabulary import CompactTable, rows_of

__all__ = ["Learner", "OptimizerState", "Saving", "TrainingTask", "train_segment"]

_LOOK_EVERY = {"cpu": 1}
"""Kind of device → steps after which loss and gradient norm are read; 16 elsewhere, since reading waits for a GPU."""


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Saves checkpoints inside a segment: `save(steps done, optimiser state)` every so many steps, and every so many seconds.

    Attributes:
        asked: whether to save now; called after every step.
        finish: waits until everything is written; called when the segment ends, by an error too.
        held: bytes of the copied state that is still being written.
    """

    save: Callable[[int, OptimizerState], None]
    every_steps: int | None = None
    every_seconds: float | None = None
    asked: Callable[[], bool] = lambda: False
    finish: Callable[[], None] = lambda: None
    held: Callable[[], int] = lambda: 0


def train_segment(
    learner: Learner,
    tasks: Mapping[str, TrainingTask],
    steps: Sequence[StepItems],
    settings: TrainSettings,
    curve: Curve | StableCurve,
    *,
    randomness: str,
    optimizer_state: OptimizerState | None = None,
    first: int = 0,
    saving: Saving | None = None,
    stopping: EarlyStopping | None = None,
    sizes: MicroSizes | None = None,
    mask_share: float = MASK_SHARE,
    average: WeightAverage | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> OptimizerState:
    """Train in place and return the optimiser's state.

    Args:
        first: number of steps done before; the learner and `optimizer_state` are as they were after them.
        saving: how to save on the way; not called after the last step.
        stopping: how to score on the way; the learner is left with the weights of the last step taken, not of the best one.
        sizes: the examples that fit into memory, updated here and shared between segments.
        randomness: a signature; dropout and masking of step i are drawn from (randomness, i), so that resuming needs no RNG
            state.
        average: weights to be averaged on the way and put in place of the last ones; None: the last ones stay.
        on_step: called for each step in order with its number from 1 and its loss; on a GPU after some steps together.

    Raises:
        TrainingFailed: a loss or gradient is not finite, or one example does not fit into memory.
    """
    rows = rows_of(learner, tasks, steps, optimizer_state or {})
    compact = CompactTable(learner.model, rows, settings.weight_decay) if rows is not None else None
    optimizer = make_optimizer(learner, settings, compact)
    if optimizer_state:
        load_state(optimizer, learner, optimizer_state, compact)
    learner.model.train()
    learner.heads.train()
    sizes = sizes if sizes is not None else MicroSizes()
    room = None
    if learner.device.type == "cuda":  # on a CPU too large a batch becomes slow before memory runs out
        probe(learner, tasks, settings, sizes)
    elif sizes.memory is not None:
        trained = sum(p.numel() for _, p in learner.named_parameters() if p.requires_grad)
        sizes.room = room = room_for_activations(sizes.memory, trained)
    watch = _Watch(on_step, _LOOK_EVERY.get(learner.device.type, 16))
    saved = time.monotonic()
    try:
        for number, step in enumerate(steps[first:], first):
            rate = curve.at(number)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate
            if room is not None and saving is not None:
                sizes.room = max(0, room - saving.held())
            loss = step_gradient(learner, tasks, step, settings, randomness, number, sizes=sizes, mask_share=mask_share)
            watch.note(number, step, loss, clip_gradient(learner, settings.max_grad_norm))
            if compact is not None:
                compact.decay(settings.learning_rate * rate)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            if average is not None and number + 1 in average.steps:
                with _full_table(compact):
                    average.add(learner)
            if stopping is not None and stopping.is_due(number + 1, len(steps)):
                watch.look()
                with _full_table(compact):
                    ends = stopping.ends(number + 1)
                    learner.model.train()
                    learner.heads.train()
                if ends:
                    break
            if saving is not None and number + 1 < len(steps) and _is_due(saving, number + 1, saved):
                watch.look()
                if learner.device.type == "cpu":
                    give_back()  # the copy takes the place of the step's activations, which the C library would keep
                state = dump_state(optimizer, learner, compact)
                with _full_table(compact):
                    saving.save(number + 1, state)
                saved = time.monotonic()
        watch.look()
    finally:
        if saving is not None:
            saving.finish()
    state = dump_state(optimizer, learner, compact, copy=False)
    if compact is not None:
        compact.restore()
    if average is not None:
        average.apply(learner)
    learner.model.eval()
    learner.heads.eval()
    if learner.device.type == "cpu":
        give_back()  # evaluation needs a small part of what a step did
    return state


@contextmanager
def _full_table(compact: CompactTable | None) -> Iterator[None]:
    """Give the model its full embedding table meanwhile."""
    if compact is not None:
        compact.restore()
    yield
    if compact is not None:
        compact.replace()


class _Watch:
    """Losses and gradient norms, read some steps at a time; a bad step is found before anything after it is kept."""

    def __init__(self, on_step: Callable[[int, float], None] | None, every: int) -> None:
        self._on_step, self._every = on_step, every
        self._unread: list[tuple[int, StepItems, torch.Tensor, torch.Tensor]] = []

    def note(self, number: int, step: StepItems, loss: torch.Tensor, norm: torch.Tensor) -> None:
        """Add a step, counted from 0; read what was noted when there is enough of it."""
        self._unread.append((number, step, loss, norm))
        if len(self._unread) >= self._every:
            self.look()

    def look(self) -> None:
        """Read all that is unread.

        Raises:
            TrainingFailed: a loss or norm is not finite.
        """
        if not self._unread:
            return
        values = torch.stack([torch.stack((loss.float(), norm.float())) for *_, loss, norm in self._unread]).tolist()
        for (number, step, *_), (loss, norm) in zip(self._unread, values, strict=True):
            if not (math.isfinite(loss) and math.isfinite(norm)):
                shown = " + ".join(task for task, _ in step.parts)
                raise TrainingFailed(
                    f"loss {loss:.3g}, gradient norm {norm:.3g} at step {number + 1} on {shown}: training diverged"
                )
            if self._on_step is not None:
                self._on_step(number + 1, loss)
        self._unread.clear()


def _is_due(saving: Saving, step: int, saved: float) -> bool:
    by_step = saving.every_steps is not None and step % saving.every_steps == 0
    return by_step or saving.asked() or (saving.every_seconds is not None and time.monotonic() - saved >= saving.every_seconds)
