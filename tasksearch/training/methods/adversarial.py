"""Adversarial training (Huang et al. 2021, arXiv 2104.08645): the loss at the worst point found near the input embeddings.

Each text token has a ball of its own (Euclidean, radius epsilon times the mean embedding norm). Projected gradient ascent
(Madry et al. 2018) starts at the centre and moves every token along its own gradient, scaled to length (Miyato et al. 2017).
The loss is a sum over sequences, so a step means the same however memory cuts it.
"""

from __future__ import annotations

import torch

from tasksearch.core.methods import Adversarial
from tasksearch.training.methods.part import LossOf, StepPart

_TINY = 1e-20


def worst_case(method: Adversarial, loss: LossOf, part: StepPart) -> LossOf:
    """Return the loss at the perturbation that the ascent ends with; the perturbation itself gets no gradient."""

    def hardest(shift: torch.Tensor | None) -> torch.Tensor:
        found = perturbation(
            method, loss if shift is None else lambda delta: loss(shift if delta is None else shift + delta), part
        )
        return loss(found if shift is None else shift + found)

    return hardest


def perturbation(method: Adversarial, loss: LossOf, part: StepPart) -> torch.Tensor:
    """Return the perturbation of the part's input embeddings, in the ball, that ascent on the loss ends with."""
    radius = method.epsilon * part.mean_norm
    delta = torch.zeros(part.shape, device=part.whole.device)
    for _ in range(method.steps):
        delta.requires_grad_(True)
        (uphill,) = torch.autograd.grad(loss(delta), delta)
        with torch.no_grad():
            uphill = uphill.float() * part.content
            unit = uphill / uphill.norm(dim=-1, keepdim=True).clamp_min(_TINY)
            delta = delta.detach() + method.stride * radius * unit
            delta = delta * (radius / delta.norm(dim=-1, keepdim=True).clamp_min(_TINY)).clamp_max(1.0)
    return delta
