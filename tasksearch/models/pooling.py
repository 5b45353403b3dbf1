"""From token vectors to one vector per sequence or per segment."""

from __future__ import annotations

import torch

from tasksearch.core.plan import Pooling


def masked_mean(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(batch, tokens, width), (batch, tokens) bool → (batch, width); a row without a token gives zeros."""
    weights = mask.to(hidden.dtype).unsqueeze(-1)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1.0)


def content_mask(ids: torch.Tensor, *, bos: int, eos: int, pad: int) -> torch.Tensor:
    """True on tokens that are not specials of the template."""
    return (ids != bos) & (ids != eos) & (ids != pad)


def segment_masks(ids: torch.Tensor, *, bos: int, eos: int, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Masks of the first and second segment of `<s> a </s></s> b </s>`, specials left out; the second is empty for a single
    one.
    """
    content = content_mask(ids, bos=bos, eos=eos, pad=pad)
    second = (ids == eos).cumsum(1) > 0
    return content & ~second, content & second


def pool(hidden: torch.Tensor, ids: torch.Tensor, pooling: Pooling, *, bos: int, eos: int, pad: int) -> torch.Tensor:
    """One vector per row. `mean` counts the specials, as jiant's retrieval does; `mean-content` does not."""
    if pooling == "cls":
        return hidden[:, 0]
    mask = ids != pad if pooling == "mean" else content_mask(ids, bos=bos, eos=eos, pad=pad)
    return masked_mean(hidden, mask)
