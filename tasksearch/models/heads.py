"""Task heads. Their initial weights depend on the plan's seed and the head's name alone."""

from __future__ import annotations

import torch
from torch import nn

from tasksearch.core.plan import Features
from tasksearch.core.signature import seed_from
from tasksearch.models.pooling import Marks, masked_mean, segment_masks

_INIT_STD = 0.02  # RoBERTa's


class ClassificationHead(nn.Module):
    """dense → tanh → out: the shape of transformers' `RobertaClassificationHead` and of BERT's pooler and classifier.

    It also scores choices with one output. With `cls` it sees the first piece, `<s>` or `[CLS]`. With `pair-diff` it sees
    [u - v; |u - v|] of two segments' means, or [first; mean] of a single one.
    """

    def __init__(self, hidden_size: int, outputs: int, features: Features, *, pair: bool, dropout: float) -> None:
        super().__init__()
        self.features, self.pair = features, pair
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(hidden_size if features == "cls" else 2 * hidden_size, hidden_size)
        self.out_proj = nn.Linear(hidden_size, outputs)

    def forward(self, hidden: torch.Tensor, ids: torch.Tensor, marks: Marks) -> torch.Tensor:
        """(batch, tokens, width), (batch, tokens) → (batch, outputs)."""
        x = self.dropout(self._features(hidden, ids, marks))
        out: torch.Tensor = self.out_proj(self.dropout(torch.tanh(self.dense(x))))
        return out

    def _features(self, hidden: torch.Tensor, ids: torch.Tensor, marks: Marks) -> torch.Tensor:
        if self.features == "cls":
            return hidden[:, 0]
        if not self.pair:
            return torch.cat([hidden[:, 0], masked_mean(hidden, ids != marks.pad)], dim=1)
        first, second = segment_masks(ids, marks)
        difference = masked_mean(hidden, first) - masked_mean(hidden, second)
        return torch.cat([difference, difference.abs()], dim=1)


class TokenHead(nn.Module):
    """One linear layer on every token: tags (as `AutoModelForTokenClassification`), or the two ends of a span."""

    def __init__(self, hidden_size: int, outputs: int, *, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.out_proj = nn.Linear(hidden_size, outputs)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Map (…, width) to (…, outputs)."""
        out: torch.Tensor = self.out_proj(self.dropout(hidden))
        return out


def make_head(
    kind: str, name: str, outputs: int, *, hidden_size: int, features: Features, dropout: float, seed: int
) -> nn.Module:
    """Make a fresh head of a kind; equal (seed, name, shape) give equal weights, whatever was drawn before."""
    head: nn.Module
    if kind in ("pair", "sentence", "multilabel", "choice"):
        head = ClassificationHead(hidden_size, outputs, features, pair=kind in ("pair", "choice"), dropout=dropout)
    elif kind in ("tagging", "span"):
        head = TokenHead(hidden_size, outputs, dropout=dropout)
    else:
        raise AssertionError(f"a {kind} task has no head of its own")
    generator = torch.Generator().manual_seed(seed_from("head", seed, name, outputs))
    with torch.no_grad():
        for parameter_name, parameter in head.named_parameters():
            if parameter_name.endswith("bias"):
                parameter.zero_()
            else:
                parameter.normal_(0.0, _INIT_STD if features == "cls" else 1.0 / parameter.shape[1] ** 0.5, generator=generator)
    return head
