"""Task heads. Their initial weights depend on the plan's seed and the head's name alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from tasksearch.core.plan import Features
from tasksearch.core.signature import seed_from
from tasksearch.models.pooling import Marks, masked_mean, segment_masks

_INIT_STD = 0.02  # RoBERTa's
_ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "tanh": torch.tanh, "relu": torch.relu, "gelu": nn.functional.gelu
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class HeadShape:
    """What stands between the encoder and the last layer of a head: that of the family's class in transformers.

    Only a head of this shape can be exported exactly, so it is chosen before training.

    Attributes:
        activation: behind the dense layer.
        bias: whether the dense layer has one.
        norm: epsilon of a layer norm behind the activation; None: no norm.
        norm_bias: whether that norm has a bias.
        tokens: whether heads on tokens (tagging, span) have the dense layer too.
    """

    activation: Literal["tanh", "relu", "gelu"] = "tanh"
    bias: bool = True
    norm: float | None = None
    norm_bias: bool = True
    tokens: bool = False


TANH = HeadShape()


class _Dense(nn.Module):
    """The layers `dense` and, where the shape has it, `norm`."""

    def __init__(self, inputs: int, width: int, shape: HeadShape) -> None:
        super().__init__()
        self.act = _ACTIVATIONS[shape.activation]
        self.dense = nn.Linear(inputs, width, bias=shape.bias)
        if shape.norm is not None:
            self.norm = nn.LayerNorm(width, eps=shape.norm, bias=shape.norm_bias)

    def hidden(self, x: torch.Tensor) -> torch.Tensor:
        """Map (…, inputs) to (…, width)."""
        out = self.act(self.dense(x))
        return self.norm(out) if hasattr(self, "norm") else out


class ClassificationHead(_Dense):
    """dense → activation → out; with tanh that is `RobertaClassificationHead`, and BERT's pooler and classifier.

    It also scores choices with one output. With `cls` it sees the first piece, `<s>` or `[CLS]`. With `pair-diff` it sees
    [u - v; |u - v|] of two segments' means, or [first; mean] of a single one.
    """

    def __init__(
        self, hidden_size: int, outputs: int, features: Features, *, pair: bool, dropout: float, shape: HeadShape = TANH
    ) -> None:
        super().__init__(hidden_size if features == "cls" else 2 * hidden_size, hidden_size, shape)
        self.features, self.pair = features, pair
        self.dropout = nn.Dropout(dropout)
        self.out_proj = nn.Linear(hidden_size, outputs)

    def forward(self, hidden: torch.Tensor, ids: torch.Tensor, marks: Marks) -> torch.Tensor:
        """(batch, tokens, width), (batch, tokens) → (batch, outputs)."""
        x = self.dropout(self._features(hidden, ids, marks))
        out: torch.Tensor = self.out_proj(self.dropout(self.hidden(x)))
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


class DenseTokenHead(_Dense):
    """dense → activation → norm → out on every token, as ModernBERT's classes have it."""

    def __init__(self, hidden_size: int, outputs: int, *, dropout: float, shape: HeadShape) -> None:
        super().__init__(hidden_size, hidden_size, shape)
        self.dropout = nn.Dropout(dropout)
        self.out_proj = nn.Linear(hidden_size, outputs)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Map (…, width) to (…, outputs)."""
        out: torch.Tensor = self.out_proj(self.dropout(self.hidden(hidden)))
        return out


def make_head(
    kind: str,
    name: str,
    outputs: int,
    *,
    hidden_size: int,
    features: Features,
    dropout: float,
    seed: int,
    shape: HeadShape = TANH,
) -> nn.Module:
    """Make a fresh head of a kind; equal (seed, name, shape) give equal weights, whatever was drawn before."""
    head: nn.Module
    if kind in ("pair", "sentence", "multilabel", "choice"):
        head = ClassificationHead(hidden_size, outputs, features, pair=kind in ("pair", "choice"), dropout=dropout, shape=shape)
    elif kind in ("tagging", "span") and shape.tokens:
        head = DenseTokenHead(hidden_size, outputs, dropout=dropout, shape=shape)
    elif kind in ("tagging", "span"):
        head = TokenHead(hidden_size, outputs, dropout=dropout)
    else:
        raise AssertionError(f"a {kind} task has no head of its own")
    generator = torch.Generator().manual_seed(seed_from("head", seed, name, outputs))
    with torch.no_grad():
        for parameter_name, parameter in head.named_parameters():
            if parameter_name.endswith("bias"):
                parameter.zero_()
            elif parameter.ndim == 1:  # of a norm
                parameter.fill_(1.0)
            else:
                parameter.normal_(0.0, _INIT_STD if features == "cls" else 1.0 / parameter.shape[1] ** 0.5, generator=generator)
    return head
