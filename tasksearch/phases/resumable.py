"""A segment's training, from where a killed process left it, and saved on its way."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn

from tasksearch.core.plan import PhaseSettings, TrainSettings
from tasksearch.phases.checkpoints import Checkpoint, latest, saving
from tasksearch.phases.context import RunContext
from tasksearch.phases.heads import module_name
from tasksearch.phases.preemption import PREEMPTION
from tasksearch.phases.results import OnStep
from tasksearch.phases.segments import IntermediateSegment, TargetSegment
from tasksearch.store.eviction import prune
from tasksearch.store.segment_store import SegmentStore, Tensors
from tasksearch.tasks.card import TaskCard
from tasksearch.training.curves import Curve, StableCurve
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.loop import OptimizerState, train_segment
from tasksearch.training.order import StepItems

_LOG = logging.getLogger(__name__)


def learner_of(model: Any, heads: nn.ModuleDict, context: RunContext) -> Learner:
    """What the loop trains."""
    return Learner(model=model, heads=heads, specials=context.specials, device=context.device)


def training_task(card: TaskCard, settings: PhaseSettings, context: RunContext) -> TrainingTask:
    """An intermediate task's items and the head they train."""
    items = context.source.training(card, settings.length_of(card.name))
    return TrainingTask(items=items, head=None if card.kind == "mlm" else module_name(card.head))


def train_on(
    learner: Learner,
    tasks: Mapping[str, TrainingTask],
    items: Sequence[StepItems],
    settings: TrainSettings,
    curve: Curve | StableCurve,
    *,
    segment: IntermediateSegment | TargetSegment,
    context: RunContext,
    optimizer_state: OptimizerState,
    on_step: OnStep | None,
) -> tuple[OptimizerState, Checkpoint | None]:
    """`train_segment`, from a snapshot inside the segment where there is one; the optimiser, and what it began from."""
    store, begin = context.store, time.perf_counter()
    before = latest(store, segment.signature, ("model", "heads", "optimizer"))
    if before is not None:
        learner.model.load_state_dict(before.tables["model"], strict=False)
        learner.heads.load_state_dict(before.tables["heads"])
        optimizer_state = before.tables["optimizer"]
    earlier = before.seconds if before else 0.0
    first = before.step if before else 0
    _LOG.info("training %s (segment %s): steps %d to %d", segment.name, segment.signature, first, len(items))
    context.micro.used.clear()  # what the last segment needed is not what this one needs
    on_the_way = saving(
        store,
        segment.signature,
        context.snapshots,
        lambda: {"model": weights(learner.model), "heads": weights(learner.heads)},
        lambda: earlier + time.perf_counter() - begin,
        segment.name,
    )
    with PREEMPTION.training() if on_the_way else nullcontext():
        state = train_segment(
            learner,
            tasks,
            items,
            settings,
            curve,
            randomness=segment.signature,
            optimizer_state=optimizer_state,
            first=first,
            sizes=context.micro,
            saving=on_the_way,
            on_step=_reporter(on_step, segment.name, len(items)),
        )
    return state, before


def keep(store: SegmentStore, signature: str, tables: dict[str, Tensors], facts: dict[str, Any], budget: int | None) -> None:
    """Stores a finished segment, and keeps the store within its budget (bytes)."""
    store.put(signature, tables, facts)
    if budget is not None:
        prune(store, budget)


def weights(module: nn.Module) -> dict[str, torch.Tensor]:
    """A module's tensors by name, shared ones once, on the CPU."""
    seen: set[int] = set()
    table: dict[str, torch.Tensor] = {}
    for name, tensor in module.state_dict().items():
        if tensor.data_ptr() not in seen or tensor.numel() == 0:
            seen.add(tensor.data_ptr())
            table[name] = tensor.detach().to("cpu", copy=True)
    return table


def _reporter(on_step: OnStep | None, part: str, total: int) -> Callable[[int, float], None] | None:
    return None if on_step is None else lambda step, _loss: on_step(part, step, total)
