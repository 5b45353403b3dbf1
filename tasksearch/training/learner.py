"""The modules that are trained (an encoder with its heads), and the items of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from tasksearch.forward.batches import Specials
from tasksearch.tasks.encode import Encoded
from tasksearch.tasks.ragged import Ints
from tasksearch.training.languages import LanguageSampling

TABLE = "model.<input embeddings>"
"""Name of the embedding table among a learner's parameters: by itself it may go by the name of an MLM head tied to it."""


@dataclass(frozen=True, kw_only=True)
class Learner:
    """The modules that are trained: an encoder with its MLM head, and task heads by name."""

    model: Any
    heads: nn.ModuleDict
    specials: Specials
    device: torch.device

    def named_parameters(self) -> list[tuple[str, nn.Parameter]]:
        """Return every parameter once, named `model.…` or `heads.…`; the embedding table's name is `TABLE`."""
        table = self.model.get_input_embeddings().weight
        pairs = [(TABLE if p is table else f"model.{n}", p) for n, p in self.model.named_parameters()]
        return pairs + [(f"heads.{n}", p) for n, p in self.heads.named_parameters()]

    def clear_gradients(self) -> None:
        """Clear the gradients."""
        for _, parameter in self.named_parameters():
            parameter.grad = None


@dataclass(frozen=True, kw_only=True)
class TrainingTask:
    """A task's training items.

    Attributes:
        head: name of the head that they train; None: the MLM head.
        seeds: word by which dropout and masks are drawn; empty: the task's name.
        sampling: languages of the items, of a task in several.
        places: place of each item among all items of its example, where not all of them are here; None: they are.
        max_length: tokens that its sequences were cut to, as methods that encode examples anew must know.
    """

    items: Encoded
    head: str | None
    seeds: str = ""
    sampling: LanguageSampling | None = None
    places: Ints | None = None
    max_length: int = 0
