"""Averages of models: of encoders after phase 2 (`phases.soup`), and of target models over seeds.

Target models are averaged head and all, so the runs share one initialisation of the head: those of different heads cannot be
averaged (Schmidt, Vulić and Glavaš, ACL 2023). What differs between them is the order of the data, dropout and, where there is
an intermediate phase, the encoder that it gave for the seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

from tasksearch.phases.heads import fresh_head
from tasksearch.phases.resumable import weights
from tasksearch.phases.target import FineTuned

if TYPE_CHECKING:
    from tasksearch.phases.results import OnStep
    from tasksearch.phases.run import PlanRun


class MeanWeights:
    """The mean of several tables of weights, taken in double precision."""

    def __init__(self) -> None:
        self._sums: dict[str, torch.Tensor] = {}
        self._count = 0

    def add(self, table: Mapping[str, torch.Tensor]) -> None:
        """Add one table; of what is no floating-point number the last one is kept."""
        for name, tensor in table.items():
            known = name in self._sums and tensor.is_floating_point()
            self._sums[name] = self._sums[name] + tensor.double() if known else tensor.double()
        self._count += 1

    def load_into(self, module: nn.Module) -> None:
        """Give a module the mean."""
        kinds = {name: tensor.dtype for name, tensor in module.state_dict().items()}
        mean = {name: total / self._count if kinds[name].is_floating_point else total for name, total in self._sums.items()}
        module.load_state_dict({name: tensor.to(kinds[name]) for name, tensor in mean.items()}, strict=False)


def averaged_model(run: PlanRun, target: str, members: Sequence[PlanRun], on_step: OnStep | None) -> FineTuned:
    """Return the mean of the members' models of a target, and what their training took now."""
    encoders, heads, steps, seconds = MeanWeights(), MeanWeights(), 0, 0.0
    headed = False
    for member in members:
        done = member.model_of(target, on_step)
        encoders.add(weights(done.model))
        if headed := done.head is not None:
            assert done.head is not None
            heads.add(weights(done.head))
        steps, seconds = steps + done.steps, seconds + done.seconds
        del done  # one model at a time
        member.forget()
    model = run.context.first_model(run.plan)
    head: nn.Module | None = None
    encoders.load_into(model)
    model.eval()
    if headed:
        head = fresh_head(run.context.suite.card(target), "average", run.plan, run.context)
        heads.load_into(head)
        head.eval()
    return FineTuned(model=model, head=head, steps=steps, seconds=seconds)
