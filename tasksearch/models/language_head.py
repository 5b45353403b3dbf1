"""A language discriminator behind a gradient reversal (Ganin and Lempitsky 2015)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tasksearch.models.heads import make_head
from tasksearch.models.pooling import Marks


class ReversedHead(nn.Module):
    """Tells languages apart by a sentence's first piece and mean; what the encoder gets is its gradient times `-strength`.

    Attributes:
        strength: factor of the reversed gradient, set before every pass; 0: the encoder gets none.
    """

    def __init__(self, hidden_size: int, languages: int, *, dropout: float, name: str) -> None:
        super().__init__()
        self.strength = 0.0
        self.head = make_head(
            "sentence", name, languages, hidden_size=hidden_size, features="pair-diff", dropout=dropout, seed=0
        )

    def forward(self, hidden: torch.Tensor, ids: torch.Tensor, marks: Marks) -> torch.Tensor:
        """(batch, tokens, width), (batch, tokens) → (batch, languages)."""
        turned: torch.Tensor = _Reversal.apply(hidden, self.strength)  # type: ignore[no-untyped-call]
        found: torch.Tensor = self.head(turned, ids, marks)
        return found


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, hidden: torch.Tensor, strength: float) -> torch.Tensor:
        context.strength = strength
        return hidden.view_as(hidden)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradient * -context.strength, None
