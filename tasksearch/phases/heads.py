"""Task heads of a plan: fresh from its seed, by the name they have in a module dict."""

from __future__ import annotations

from torch import nn

from tasksearch.core.plan import Plan
from tasksearch.models.heads import make_head
from tasksearch.phases.context import RunContext
from tasksearch.tasks.card import TaskCard


def module_name(head: str) -> str:
    """A head's name without dots, which a module dict refuses."""
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
    ).to(context.device)


def add_head(heads: nn.ModuleDict, card: TaskCard, plan: Plan, context: RunContext) -> None:
    """The card's head among the others, fresh where it is not there yet; MLM has its own in the model."""
    if card.kind != "mlm" and module_name(card.head) not in heads:
        heads[module_name(card.head)] = fresh_head(card, card.head, plan, context)
