"""The English selection examples of a target, on which its phase 3 is scored on the way (`training.early_stopping`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

from tasksearch.core.errors import BadInput
from tasksearch.core.plan import Plan
from tasksearch.core.score import ENGLISH
from tasksearch.evaluation.labelled import score_labelled
from tasksearch.metrics.outcomes import value_of
from tasksearch.models.families import family_of
from tasksearch.phases.context import RunContext
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import encode
from tasksearch.tasks.examples import Example
from tasksearch.tasks.selection_split import Portion
from tasksearch.tasks.source import TaskSource


def english_dev(source: TaskSource, card: TaskCard, cap: int | None) -> tuple[Example, ...]:
    """Return the English selection examples of a target; no reporting example is among them.

    Raises:
        BadInput: it has none.
    """
    found = source.portions(card, ENGLISH, cap) if ENGLISH in card.languages else ()
    examples = tuple(one.examples[row] for one in found if "select" in one.rows for row in one.rows["select"])
    if not examples:
        raise BadInput(
            f"target {card.name!r} has no English selection examples to stop early by; expected targets that have them, or no "
            "--early-stopping"
        )
    return examples


def english_score(model: Any, head: nn.Module, card: TaskCard, plan: Plan, context: RunContext) -> Callable[[], float]:
    """Return a function that scores the model, as it is when called, on the target's English selection examples, in percent."""
    settings = plan.for_target(card.name)
    examples = english_dev(context.source, card, plan.settings.evaluation_examples)
    items = encode(list(examples), card, context.pretrained.tokenizer, settings.max_length)
    portion = Portion(examples=examples, rows={"select": np.arange(len(examples), dtype=np.int64)})

    def score() -> float:
        with family_of(model).speaking(model, ENGLISH):
            found = score_labelled(model, head, card, ENGLISH, [(portion, items)], context.specials, settings.precision)
        return value_of(found["select"])

    return score
