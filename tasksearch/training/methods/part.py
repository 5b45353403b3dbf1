"""`StepPart`: what a method knows of the forward pass that it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from tasksearch.core.signature import seed_from
from tasksearch.forward.batches import Specials

LossOf = Callable[[torch.Tensor | None], torch.Tensor]
"""What is added to the input embeddings, (sequences, tokens, width) or None → summed loss of the part.

Every call draws the same dropout.
"""


@dataclass(frozen=True, kw_only=True)
class StepPart:
    """The sequences of one forward pass, and those of the whole step that they were cut from.

    Anything drawn is drawn for the whole step and cut to the part, so that a step means the same however memory cuts it, and
    from the step's own seed, so that a run that was killed goes on with the same numbers.

    Attributes:
        whole: (sequences of the step, tokens) piece ids, on the device.
        first, last: the part's rows of `whole`.
        seed: seed of the step and task.
    """

    model: Any
    specials: Specials
    whole: torch.Tensor
    first: int
    last: int
    seed: int

    @cached_property
    def content(self) -> torch.Tensor:
        """Tokens of the part that are text, (sequences, tokens, 1): neither special pieces nor padding."""
        return self._text(self.whole[self.first : self.last])

    @cached_property
    def mean_norm(self) -> torch.Tensor:
        """Mean norm of the embeddings of the step's text, a scalar."""
        text = self._text(self.whole).squeeze(-1)
        with torch.no_grad():
            norms: torch.Tensor = self.model.get_input_embeddings()(self.whole).float().norm(dim=-1)
        return (norms * text).sum() / text.sum().clamp_min(1)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the part's input embeddings."""
        return (self.last - self.first, self.whole.shape[1], self.model.get_input_embeddings().weight.shape[1])

    def normal(self, word: str) -> torch.Tensor:
        """Return standard normal numbers of the part's shape, drawn by `word`."""
        device = self.whole.device
        generator = torch.Generator(device).manual_seed(seed_from(word, self.seed))
        _, tokens, width = self.shape
        return torch.randn((len(self.whole), tokens, width), generator=generator, device=device)[self.first : self.last]

    def _text(self, ids: torch.Tensor) -> torch.Tensor:
        special = torch.tensor((*self.specials.template.ids, self.specials.pad), device=ids.device)
        return ~torch.isin(ids, special).unsqueeze(-1)
