"""Pooling of token vectors to one vector per sequence or per segment."""

from __future__ import annotations

import torch

from tasksearch.core.plan import Pooling


def masked_mean(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean of the vectors (batch, tokens, width) under the mask (batch, tokens); zeros for an empty row."""
    weights = mask.to(hidden.dtype).unsqueeze(-1)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1.0)


def content_mask(ids: torch.Tensor, *, bos: int, eos: int, pad: int) -> torch.Tensor:
    """Return True at tokens that are not special tokens of the template."""
    return (ids != bos) & (ids != eos) & (ids != pad)


def segment_masks(ids: torch.Tensor, *, bos: int, eos: int, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return masks of the first and second segment of `<s> a </s></s> b </s>`, without special tokens.

    The second is empty for a single segment.
    """
    content = content_mask(ids, bos=bos, eos=eos, pad=pad)
    second = (ids == eos).cumsum(1) > 0
    return content & ~second, content & second


def pool(hidden: torch.Tensor, ids: torch.Tensor, pooling: Pooling, *, bos: int, eos: int, pad: int) -> torch.Tensor:
    """Return one vector per row. `mean` includes special tokens, as jiant's retrieval does; `mean-content` does not."""
    if pooling == "cls":
        return hidden[:, 0]
    mask = ids != pad if pooling == "mean" else content_mask(ids, bos=bos, eos=eos, pad=pad)
    return masked_mean(hidden, mask)
