"""The mask of padding in the form that torch's `scaled_dot_product_attention` takes without work of its own.

transformers makes a mask of booleans, and asks the device whether anything is padded, which waits for a GPU in every forward
pass. torch turns such a mask into numbers in every layer, copies it where its rows do not begin at multiples of 16, and keeps
each copy for the way back. Here it is made once per forward pass, in the numbers that torch would make: the same bits.
"""

from __future__ import annotations

import math

import torch

_ALIGNED = 16
"""Numbers that rows of the mask begin at multiples of: with others, CUDA's memory-efficient attention copies the mask."""


def additive_mask(kept: torch.Tensor) -> torch.Tensor:
    """Return (batch, 1, tokens, tokens), 0 where a key is kept and -inf where it is padding, in the type of the queries.

    Rows of one sequence are one piece of memory.

    Args:
        kept: (batch, tokens), 0 for padding.
    """
    sequences, tokens = kept.shape
    held = torch.zeros((sequences, 1, 1, _ALIGNED * math.ceil(tokens / _ALIGNED)), dtype=query_type(kept), device=kept.device)
    found = held[..., :tokens]
    found.masked_fill_(kept[:, None, None, :] == 0, -torch.inf)
    return found.expand(sequences, 1, tokens, tokens)


def within(mask: torch.Tensor, window: int) -> torch.Tensor:
    """Return the mask with keys farther than `window` tokens from the query left out too."""
    sequences, _, tokens, _ = mask.shape
    places = torch.arange(tokens, device=mask.device)
    held = mask.new_zeros((sequences, 1, tokens, _ALIGNED * math.ceil(tokens / _ALIGNED)))
    found = held[..., :tokens]
    found.copy_(mask).masked_fill_((places[:, None] - places).abs() > window, -torch.inf)
    return found


def query_type(beside: torch.Tensor) -> torch.dtype:
    """Return the type that queries have on this tensor's device: single precision, or autocast's."""
    kind = beside.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.float32
