"""Phase 3 of a plan for one target: fine-tune on its English data, or load its weights from the store."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from tasksearch.core.plan import Plan, TrainSettings
from tasksearch.core.signature import seed_from
from tasksearch.phases.context import RunContext
from tasksearch.phases.english_dev import english_score
from tasksearch.phases.heads import fresh_head, module_name
from tasksearch.phases.intermediate import Intermediate
from tasksearch.phases.results import OnStep
from tasksearch.phases.resumable import learner_of, train_on, weights, weights_of
from tasksearch.phases.segments import TargetSegment
from tasksearch.store.segment_store import SegmentDamaged
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import Encoded, select
from tasksearch.tasks.ragged import Ints
from tasksearch.training.curves import Curve
from tasksearch.training.early_stopping import EarlyStopping
from tasksearch.training.learner import TrainingTask
from tasksearch.training.order import StepItems, example_order


@dataclass(frozen=True, kw_only=True)
class FineTuned:
    """The model of a target.

    Attributes:
        model: the model whose encoder was fine-tuned; that of phase 2 where the target trains nothing.
        head: the target's head; None for retrieval.
        steps: optimiser steps taken now.
        seconds: time spent on them.
        stopped: what early stopping found (`EarlyStopping.note`); empty without it.
    """

    model: Any
    head: nn.Module | None
    steps: int = 0
    seconds: float = 0.0
    stopped: Mapping[str, Any] = field(default_factory=dict)


def fine_tune(
    phase2: Intermediate, segment: TargetSegment, plan: Plan, context: RunContext, on_step: OnStep | None
) -> FineTuned:
    """Train a copy of the model after phase 2 on the target's English data; a retrieval target uses that model unchanged."""
    state = phase2.state_at(segment.parent)
    if not segment.trained:
        return FineTuned(model=state.model, head=None)
    began = time.perf_counter()
    model = copy.deepcopy(state.model)
    head, steps, stopping = _train(model, state.heads, segment, plan, context, on_step)
    return FineTuned(
        model=model,
        head=head,
        steps=steps if stopping is None else stopping.step,
        seconds=time.perf_counter() - began,
        stopped={} if stopping is None else stopping.note,
    )


def kept_target(segment: TargetSegment, plan: Plan, context: RunContext) -> FineTuned | None:
    """Return the target's model from the store; None if its weights were not kept."""
    store = context.store
    if store is None or (found := store.manifest(segment.signature)) is None or not has_weights(found):
        return None
    store.accepted(found)
    with suppress(SegmentDamaged):
        tables = {name: store.tensors(segment.signature, name) for name in ("model", "head")}
        model = context.first_model(plan)
        model.load_state_dict(tables["model"], strict=False)
        head = fresh_head(context.suite.card(segment.target), f"target/{segment.recipe}", plan, context)
        head.load_state_dict(tables["head"])
        model.eval()
        head.eval()
        return FineTuned(model=model, head=head)
    return None


def keep_target(segment: TargetSegment, done: FineTuned, plan: Plan, context: RunContext) -> None:
    """With `keep_targets` store the weights of the training; its cost stands beside the scores (`training_cost`)."""
    store = context.store
    if store is None or done.head is None or not context.keep_targets:
        return
    if not has_weights(found := store.peek(segment.signature)) and found:
        store.discard(segment.signature)  # an earlier release kept its cost here, which would prevent storing the weights
    tables = {"model": weights(done.model), "head": weights(done.head)}
    store.put(segment.signature, tables, {"kind": "target", **training_cost(segment, done, plan, context)})


def training_cost(segment: TargetSegment, done: FineTuned, plan: Plan, context: RunContext) -> dict[str, Any]:
    """Return what a training took: label, steps, seconds, and how its steps were cut."""
    told: dict[str, Any] = {"label": f"{segment.target}, seed {plan.seed}", "steps": done.steps, "seconds": done.seconds}
    told |= {"early_stopping": dict(done.stopped)} if done.stopped else {}
    return told | {"hardware": context.hardware, **context.micro.note, **context.step_log.note}


def has_weights(manifest: Mapping[str, Any] | None) -> bool:
    """Whether a target's manifest comes with weights and not only with the cost of its training."""
    return bool(manifest) and "model.safetensors" in (manifest or {})["files"]


def _train(
    model: Any,
    heads: nn.ModuleDict,
    segment: TargetSegment,
    plan: Plan,
    context: RunContext,
    on_step: OnStep | None,
) -> tuple[nn.Module, int, EarlyStopping | None]:
    """Train on English target data with a fresh or a warm head; return the trained head, the phase's steps, and any early stop.

    Everything drawn here is drawn by the recipe, so that targets of one recipe get the same model whichever comes first.
    """
    card = context.suite.card(segment.target)
    settings, seed, batch = plan.for_target(card.name), plan.seed, plan.for_target(card.name).batch_size
    items, places = _target_items(card, segment.recipe, settings, seed, context)
    warm = _warm_head(heads, card, plan, context)
    drawn_by = plan if plan.head_seed is None else plan.with_seed(plan.head_seed)
    head = copy.deepcopy(warm) if warm is not None else fresh_head(card, f"target/{segment.recipe}", drawn_by, context)
    total = settings.steps_for(len(items)) + math.ceil(plan.extra_examples / batch)
    settings.check_average(total, f"the target phase of {card.name}")
    order = example_order(segment.recipe, seed, items.lengths, batch, total * batch, 0)
    drawn = [StepItems(parts=((card.name, order[first : first + batch]),)) for first in range(0, total * batch, batch)]
    learner, stopping = learner_of(model, nn.ModuleDict({"target": head}), context), None
    if settings.early_stopping is not None:
        stopping = EarlyStopping(
            every=settings.early_stopping,
            patience=settings.patience,
            score=english_score(model, head, card, plan, context),
            weights=lambda: weights_of(learner),
        )
    train_on(
        learner,
        {
            card.name: TrainingTask(
                items=items, head="target", seeds=segment.recipe, places=places, max_length=settings.max_length
            )
        },
        drawn,
        settings,
        Curve(total=total, warmup=settings.warmup),
        segment=segment,
        context=context,
        optimizer_state={},
        averaged=settings.averaged_steps(total),
        on_step=on_step,
        stopping=stopping,
    )
    return head, total, stopping


def _target_items(
    card: TaskCard, recipe: str, settings: TrainSettings, seed: int, context: RunContext
) -> tuple[Encoded, Ints | None]:
    """Return the training items, and each one's place in its example where they are a part of all."""
    items = context.source.training(card, settings.max_length)
    if settings.train_examples is None or settings.train_examples >= len(items):
        return items, None
    draw = np.random.default_rng(seed_from("subset", seed, recipe))
    kept = np.sort(draw.permutation(len(items))[: settings.train_examples]).astype(np.int64)
    return select(items, kept), items.places[kept]


def _warm_head(heads: nn.ModuleDict, card: TaskCard, plan: Plan, context: RunContext) -> nn.Module | None:
    if plan.settings.head != "warm" or not card.labels:
        return None
    cards = context.suite.intermediates
    alike = [c.head for c in cards if (c.kind, c.labels) == (card.kind, card.labels) and module_name(c.head) in heads]
    return heads[module_name(alike[0])] if alike else None
