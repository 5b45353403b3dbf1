"""Phase 3 of a plan for one target: fine-tuning on its English data, then zero-shot scores per language."""

from __future__ import annotations

import copy
import math
import time
from typing import Any

import numpy as np
from torch import nn

from tasksearch.core.plan import Plan, TrainSettings
from tasksearch.core.signature import seed_from
from tasksearch.phases.context import RunContext
from tasksearch.phases.heads import fresh_head, module_name
from tasksearch.phases.intermediate import ModelState
from tasksearch.phases.parts import OnStep, TrainedTarget
from tasksearch.phases.resumable import learner_of, train_on
from tasksearch.phases.scores import outcomes_of, scores_of
from tasksearch.phases.segments import TargetSegment
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import Encoded, select
from tasksearch.training.curves import Curve
from tasksearch.training.learner import TrainingTask
from tasksearch.training.order import StepTasks, draw_items


def train_target(
    state: ModelState, segment: TargetSegment, plan: Plan, context: RunContext, on_step: OnStep | None
) -> TrainedTarget:
    """Fine-tunes a copy of the model after phase 2 (a retrieval target: nothing), and scores it in every language."""
    began = time.perf_counter()
    card = context.suite.card(segment.target)
    model, head, steps = state.model, None, 0
    seconds: dict[str, float] = {}
    if segment.trained:
        model = copy.deepcopy(state.model)
        head, steps = _fine_tune(model, state.heads, card, segment, plan, context, on_step)
        seconds["target"] = time.perf_counter() - began
        began = time.perf_counter()
    outcomes = {
        (segment.target, language, half): table
        for language in segment.languages
        for half, table in outcomes_of(model, head, card, language, plan, context).items()
    }
    seconds["evaluation"] = time.perf_counter() - began
    scores = scores_of(outcomes, card.metric, plan.seed)
    return TrainedTarget(scores=scores, outcomes=outcomes, seconds=seconds, steps=steps, model=model, head=head)


def _fine_tune(
    model: Any,
    heads: nn.ModuleDict,
    card: TaskCard,
    segment: TargetSegment,
    plan: Plan,
    context: RunContext,
    on_step: OnStep | None,
) -> tuple[nn.Module, int]:
    """English target data, a fresh head (or a warm one): returns the trained head and the number of steps."""
    settings, seed = plan.settings.for_target(card.name), plan.seed
    items = _target_items(card, settings, seed, context)
    warm = _warm_head(heads, card, plan, context)
    head = copy.deepcopy(warm) if warm is not None else fresh_head(card, f"target/{card.name}", plan, context)
    total = settings.steps or max(1, round((settings.epochs or 1.0) * len(items) / settings.batch_size))
    total += math.ceil(plan.extra_examples / settings.batch_size)
    steps: list[StepTasks] = [((card.name, settings.batch_size),)] * total
    drawn = draw_items(steps, {card.name: items.lengths}, settings.batch_size, seed=seed, skip={})
    train_on(
        learner_of(model, nn.ModuleDict({"target": head}), context),
        {card.name: TrainingTask(items=items, head="target")},
        drawn,
        settings,
        Curve(total=total, warmup=settings.warmup),
        segment=segment,
        context=context,
        optimizer_state={},
        on_step=on_step,
    )
    return head, total


def _target_items(card: TaskCard, settings: TrainSettings, seed: int, context: RunContext) -> Encoded:
    items = context.source.training(card, settings.max_length)
    if settings.train_examples is None or settings.train_examples >= len(items):
        return items
    draw = np.random.default_rng(seed_from("subset", seed, card.name))
    return select(items, np.sort(draw.permutation(len(items))[: settings.train_examples]).astype(np.int64))


def _warm_head(heads: nn.ModuleDict, card: TaskCard, plan: Plan, context: RunContext) -> nn.Module | None:
    if plan.settings.head != "warm" or not card.labels:
        return None
    cards = context.suite.intermediates
    alike = [c.head for c in cards if (c.kind, c.labels) == (card.kind, card.labels) and module_name(c.head) in heads]
    return heads[module_name(alike[0])] if alike else None
