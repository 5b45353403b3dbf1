"""Pooling of token vectors to one vector per sequence or per segment."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from tasksearch.core.plan import Pooling


def masked_mean(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean of the vectors (batch, tokens, width) under the mask (batch, tokens); zeros for an empty row."""
    weights = mask.to(hidden.dtype).unsqueeze(-1)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1.0)


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The pieces that are no text, by which the parts of a row are told apart: text never holds their ids.

    Attributes:
        ids: special pieces of the template.
        before: how many of them stand before the first text.
        pad: the padding piece, none of `ids`.
    """

    ids: tuple[int, ...]
    before: int
    pad: int

    def special(self, ids: torch.Tensor) -> torch.Tensor:
        """True on pieces of the template."""
        found = ids == self.ids[0]
        for one in self.ids[1:]:
            found = found | (ids == one)
        return found


def content_mask(ids: torch.Tensor, marks: Marks) -> torch.Tensor:
    """True on text: neither template nor padding."""
    return ~marks.special(ids) & (ids != marks.pad)


def segment_masks(ids: torch.Tensor, marks: Marks) -> tuple[torch.Tensor, torch.Tensor]:
    """Masks of the first and second text of `<s> a </s></s> b </s>` and its like; the second is empty for a single one."""
    content = content_mask(ids, marks)
    second = marks.special(ids).cumsum(1) > marks.before
    return content & ~second, content & second


def pool(hidden: torch.Tensor, ids: torch.Tensor, pooling: Pooling, marks: Marks) -> torch.Tensor:
    """One vector per row. `mean` counts the specials, as jiant's retrieval does; `mean-content` does not."""
    if pooling == "cls":
        return hidden[:, 0]
    return masked_mean(hidden, ids != marks.pad if pooling == "mean" else content_mask(ids, marks))
