"""Training of one segment that saves snapshots and continues from the last one after a kill."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn

from tasksearch.core.learning_curve import LearningCurve
from tasksearch.core.plan import PhaseSettings, TrainSettings
from tasksearch.phases.checkpoints import Checkpoint, latest, saving
from tasksearch.phases.context import RunContext
from tasksearch.phases.heads import module_name
from tasksearch.phases.language_adversary import with_adversary, without_adversary
from tasksearch.phases.preemption import PREEMPTION
from tasksearch.phases.results import OnStep
from tasksearch.phases.segments import IntermediateSegment, TargetSegment
from tasksearch.phases.substitution import with_synonyms
from tasksearch.tasks.card import TaskCard
from tasksearch.training.averaging import WeightAverage
from tasksearch.training.curves import Curve, StableCurve
from tasksearch.training.early_stopping import EarlyStopping, Tables
from tasksearch.training.languages import LanguageSampling
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.loop import train_segment
from tasksearch.training.optimizer import OptimizerState
from tasksearch.training.order import StepItems

_LOG = logging.getLogger(__name__)
BEST = {"model": "best_model", "heads": "best_heads"}
"""Table of a learner → the table of a snapshot that holds it as it was at the best score (`training.early_stopping`)."""
AVERAGE = "average"
"""Table of a snapshot that holds the sum of the weights to be averaged (`training.averaging`)."""


def learner_of(model: Any, heads: nn.ModuleDict, context: RunContext) -> Learner:
    """Return the model and heads in the form that the training loop takes."""
    return Learner(model=model, heads=heads, specials=context.specials, device=context.device)


def training_task(card: TaskCard, settings: PhaseSettings, context: RunContext) -> TrainingTask:
    """Return an intermediate task's items and the name of the head that they train."""
    masked, length, sampling = card.kind == "mlm", settings.length_of(card.name), None
    if counts := context.source.training_counts(card):
        sampling = LanguageSampling(counts=counts, exponent=settings.language_exponent if masked else None)
    items = context.source.training(card, length)
    head = None if masked else module_name(card.head)
    return TrainingTask(items=items, head=head, sampling=sampling, max_length=length)


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
    averaged: Sequence[int] = (),
    on_step: OnStep | None,
    stopping: EarlyStopping | None = None,
) -> tuple[OptimizerState, Checkpoint | None]:
    """Train a segment, from its latest snapshot if there is one; return the optimiser state and that snapshot.

    With `stopping` the learner ends with the weights of its best score. `averaged`: steps after which the weights are averaged;
    none: the last weights stay.
    """
    store, begin = context.store, time.perf_counter()
    tasks, items = with_synonyms(tasks, items, settings, segment.signature, context)
    trained, tasks, items = with_adversary(learner, tasks, items, settings, segment.signature, context)
    before = latest(store, segment.signature, ("model", "heads", "optimizer"), (*BEST.values(), AVERAGE))
    if before is not None:
        trained.model.load_state_dict(before.tables["model"], strict=False)
        trained.heads.load_state_dict(before.tables["heads"])
        optimizer_state = before.tables["optimizer"]
        if stopping is not None and "early_stopping" in before.facts:
            best = {table: before.tables[name] for table, name in BEST.items() if name in before.tables}
            stopping.go_on(before.facts["early_stopping"], best)
    average = WeightAverage(averaged, before.tables.get(AVERAGE) if before else None) if averaged else None
    earlier = before.seconds if before else 0.0
    first = before.step if before else 0
    _LOG.info("training %s (segment %s): steps %d to %d", segment.name, segment.signature, first, len(items))
    note = context.step_log.begin(
        len(items),
        settings.batch_size,
        lambda step: settings.learning_rate * curve.at(step),
        before.curve if before else LearningCurve(),
    )
    context.micro.used.clear()  # the last segment's micro-batch sizes say nothing about this one
    on_the_way = saving(
        store,
        segment.signature,
        context.snapshots,
        lambda: {
            **weights_of(trained),
            **({BEST[table]: own for table, own in stopping.best.items()} if stopping else {}),
            **({AVERAGE: average.tables} if average is not None and average.tables else {}),
        },
        lambda: earlier + time.perf_counter() - begin,
        segment.name,
        lambda: context.step_log.note | ({"early_stopping": stopping.note} if stopping else {}),
    )
    with PREEMPTION.training() if on_the_way else nullcontext():
        state = train_segment(
            trained,
            tasks,
            items,
            settings,
            curve,
            randomness=segment.signature,
            optimizer_state=optimizer_state,
            first=first,
            sizes=context.micro,
            saving=on_the_way,
            average=average,
            stopping=stopping,
            on_step=_reporter(on_step, segment.name, len(items), note),
        )
    if stopping is not None:
        learner.model.load_state_dict(stopping.best["model"], strict=False)
        learner.heads.load_state_dict(stopping.best["heads"])
    return without_adversary(state), before


def weights_of(learner: Learner) -> Tables:
    """Return the tables that a snapshot holds of a learner."""
    return {"model": weights(learner.model), "heads": weights(learner.heads)}


def weights(module: nn.Module) -> dict[str, torch.Tensor]:
    """Return a module's tensors by name on the CPU, shared tensors once."""
    seen: set[int] = set()
    table: dict[str, torch.Tensor] = {}
    for name, tensor in module.state_dict().items():
        if tensor.data_ptr() not in seen or tensor.numel() == 0:
            seen.add(tensor.data_ptr())
            table[name] = tensor.detach().to("cpu", copy=True)
    return table


def _reporter(
    on_step: OnStep | None, part: str, total: int, note: Callable[[int, float], None]
) -> Callable[[int, float], None]:
    def report(step: int, loss: float) -> None:
        note(step, loss)
        if on_step is not None:
            on_step(part, step, total)

    return report
