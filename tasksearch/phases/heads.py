"""Task heads of a plan, initialised from its seed."""

from __future__ import annotations

from torch import nn

from tasksearch.core.plan import Plan
from tasksearch.models.heads import make_head
from tasksearch.phases.context import RunContext
from tasksearch.tasks.card import TaskCard


def module_name(head: str) -> str:
    """Return a head's name without dots, which `nn.ModuleDict` does not allow."""
    return head.replace(".", "_")


def fresh_head(card: TaskCard, name: str, plan: Plan, context: RunContext) -> nn.Module:
    """A head drawn from the plan's seed and the name, on the context's device."""
    pretrained = context.pretrained
    return make_head(
        card.kind,
        name,
        {"choice": 1, "span": 2}.get(card.kind, len(card.labels)),
        hidden_size=pretrained.hidden_size,
        features=plan.settings.features,
        dropout=pretrained.family.head_dropout(pretrained.model.config),
        seed=plan.seed,
        shape=pretrained.family.head_shape(pretrained.model.config),
    ).to(context.device)


def add_head(heads: nn.ModuleDict, card: TaskCard, plan: Plan, context: RunContext) -> None:
    """Add the card's head, freshly initialised, unless it is already there; MLM uses the head inside the model."""
    if card.kind != "mlm" and module_name(card.head) not in heads:
        heads[module_name(card.head)] = fresh_head(card, card.head, plan, context)
