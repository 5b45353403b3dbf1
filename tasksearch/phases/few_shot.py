"""A target phase continued on a few labelled examples of one language, for the few-shot controls.

It is the sequential way: train in English, then on the examples alone (Lauscher et al., EMNLP 2020). No further labels choose a
learning rate or a number of steps: both follow a rule (`TrainSettings.few_shot`).
"""

from __future__ import annotations

import copy
import dataclasses
import time
from typing import TYPE_CHECKING

from torch import nn

from tasksearch.core.plan import Plan
from tasksearch.models.families import family_of
from tasksearch.phases.checkpoints import clear
from tasksearch.phases.context import RunContext
from tasksearch.phases.results import OnStep
from tasksearch.phases.resumable import learner_of, train_on
from tasksearch.phases.segments import TargetSegment, few_shot_draw
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import Encoded, encode
from tasksearch.training.curves import Curve
from tasksearch.training.learner import TrainingTask
from tasksearch.training.order import StepItems, example_order

if TYPE_CHECKING:
    from tasksearch.phases.target import FineTuned


def few_shot_steps(plan: Plan, card: TaskCard, context: RunContext) -> int:
    """Return the steps on a language's examples."""
    before, examples = plan.for_target(card.name), plan.settings.few_shot
    return min(before.few_shot(examples).steps_for(examples), before.steps_for(context.source.training_size(card)))


def few_shot_items(target: str, language: str, plan: Plan, context: RunContext) -> Encoded:
    """Return the encoded examples of the language that the plan's seed draws; there are as many as its settings say."""
    card = context.suite.card(target)
    draws = context.source.few_shot(card, language, plan.settings.few_shot)
    examples = list(draws[few_shot_draw(plan)])
    return encode(examples, card, context.pretrained.tokenizer, plan.for_target(target).max_length)


def continue_on(
    done: FineTuned, segment: TargetSegment, language: str, plan: Plan, context: RunContext, on_step: OnStep | None
) -> FineTuned:
    """Return a copy of a target's model and head, trained on the language's examples; the same object where it has none."""
    signature = dict(segment.continued).get(language)
    if signature is None or done.head is None:
        return done
    began = time.perf_counter()
    model, head = copy.deepcopy(done.model), copy.deepcopy(done.head)
    items = few_shot_items(segment.target, language, plan, context)
    card, settings = context.suite.card(segment.target), plan.for_target(segment.target).few_shot(plan.settings.few_shot)
    total, batch = few_shot_steps(plan, card, context), settings.batch_size
    order = example_order(signature, plan.seed, items.lengths, batch, total * batch, 0)
    with family_of(model).speaking(model, language):
        train_on(
            learner_of(model, nn.ModuleDict({"target": head}), context),
            {card.name: TrainingTask(items=items, head="target", seeds=signature, max_length=settings.max_length)},
            [StepItems(parts=((card.name, order[first : first + batch]),)) for first in range(0, total * batch, batch)],
            settings,
            Curve(total=total, warmup=settings.warmup),
            segment=dataclasses.replace(segment, name=f"{segment.name}/{language}", signature=signature),
            context=context,
            optimizer_state={},
            on_step=on_step,
        )
    if context.store is not None:
        clear(context.store, signature)
    return dataclasses.replace(done, model=model, head=head, steps=total, seconds=time.perf_counter() - began)
