"""Dropout of part of a step that equals the whole step's: a mask belongs to an example, not to a forward pass.

torch draws a dropout mask in the shape of its input, so the same example gets another mask when its step is cut into other
micro-batches. Inside `StepDropout` each mask is drawn in the shape that the whole step would have, from the generator that the
caller has seeded as for the whole step, and the rows of this part are taken from it. That is the stream of an
uncut step, which runs without this. On CUDA alone, and not under `--deterministic`, an uncut step's fused attention draws its
masks inside the kernel: there the cut step agrees in all masks but attention's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True, kw_only=True)
class RowRange:
    """Rows `first` … `last - 1` of `total`."""

    first: int
    last: int
    total: int

    def take(self, whole: torch.Tensor) -> torch.Tensor:
        """Return these rows of a tensor that has all."""
        return whole[self.first : self.last]


class StepDropout(TorchFunctionMode):
    """Context that replaces dropout, and attention with dropout.

    Args:
        sequences: the step's sequences in this forward pass.
        tags: its tagged tokens, whose features are two-dimensional; None where a head sees whole sequences.
    """

    def __init__(self, sequences: RowRange, tags: RowRange | None = None) -> None:
        super().__init__()
        self._sequences, self._tags = sequences, tags

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Intercept every call of a torch function."""
        given = dict(kwargs or {})
        if func is F.dropout:
            return self._dropout(*args, **given)
        if func is F.scaled_dot_product_attention and given.get("dropout_p", 0.0) > 0:
            return self._attention(*args, **given)
        return func(*args, **given)

    def _dropout(self, x: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> torch.Tensor:
        if not training or p == 0.0:
            return x
        rows = self._tags if self._tags is not None and x.ndim == 2 else self._sequences
        # torch's own kernel over a tensor of the whole step's shape: its mask depends on shape and generator alone
        whole = F.dropout(torch.ones((rows.total, *x.shape[1:]), dtype=x.dtype, device=x.device), p, True)
        return x * rows.take(whole)

    def _attention(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        *,
        attn_mask: torch.Tensor | None = None,
        dropout_p: float,
        scale: float | None = None,
        **_: Any,
    ) -> torch.Tensor:
        """Compute dropout(softmax(q kᵀ · scale + mask)) v like the fused kernels, with the dropout mask drawn here."""
        scores = query @ key.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scale is None else scale)
        if attn_mask is not None:
            closed = attn_mask.dtype == torch.bool
            scores = scores.masked_fill(~attn_mask, -torch.inf) if closed else scores + attn_mask
        return self._dropout(torch.softmax(scores, dim=-1), dropout_p) @ value
