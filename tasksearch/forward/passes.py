"""One forward pass of any kind: encoder, head, summed loss."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from tasksearch.forward.batches import Batch, Specials
from tasksearch.models.families import family_of

_NEVER = -1e4  # a logit whose softmax is zero, in fp32 and in bf16


def encode_batch(
    model: Any, ids: torch.Tensor, specials: Specials, *, hidden_states: bool = False, padded: bool | None = None
) -> Any:
    """Runs the encoder; padding is masked, and token types are those of the tokenizer's template.

    Args:
        padded: whether any row is padded; where none is, a family of transformers gets no mask. None: the device is asked.
    """
    family = family_of(model)
    if padded is None:
        padded = bool((ids == specials.pad).any())
    mask = (ids != specials.pad).long() if padded or not (family.stock or family.sdpa) else None
    return family.encode(model, ids, mask, specials.type_ids(ids), hidden_states=hidden_states)


def hidden_state(model: Any, ids: torch.Tensor, specials: Specials, layer: int, *, padded: bool | None = None) -> torch.Tensor:
    """Return the hidden state behind a layer (0: the embeddings), (batch, tokens, width); layers above it are not run.

    Where the layers are not `base_model.encoder.layer`, as they may not be in a user's own family, all are run.
    """
    blocks = getattr(getattr(model.base_model, "encoder", None), "layer", None)
    if not isinstance(blocks, nn.ModuleList) or layer >= len(blocks):  # a last layer norm may follow the last layer
        states: tuple[torch.Tensor, ...] = encode_batch(model, ids, specials, hidden_states=True, padded=padded).hidden_states
        return states[layer]

    def stop(_module: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        raise _Reached(given[0])

    hook = blocks[layer].register_forward_pre_hook(stop)
    try:
        encode_batch(model, ids, specials, padded=padded)
    except _Reached as reached:
        return reached.hidden
    finally:
        hook.remove()
    raise AssertionError("a forward pass runs every layer")


class _Reached(Exception):
    def __init__(self, hidden: torch.Tensor) -> None:
        super().__init__()
        self.hidden = hidden


def loss_sum(model: Any, head: nn.Module | None, batch: Batch, specials: Specials) -> torch.Tensor:
    """Return the sum of the batch's losses; the step divides by its number of units."""
    hidden = encode_batch(model, batch.ids, specials, padded=batch.padded).last_hidden_state
    if batch.kind == "mlm":
        # The vocabulary's logits at masked positions only: all positions would double the step's cost.
        logits = family_of(model).mlm_logits(model, hidden[batch.rows, batch.columns])
        return F.cross_entropy(logits.float(), batch.labels, reduction="sum")
    assert head is not None
    if batch.kind == "span":
        starts, ends = span_logits(head, hidden, batch)
        return (
            F.cross_entropy(starts, batch.spans[:, 0], reduction="sum")
            + F.cross_entropy(ends, batch.spans[:, 1], reduction="sum")
        ) / 2
    logits = label_logits(head, hidden, batch, specials).float()
    if batch.kind == "multilabel":
        wanted = torch.zeros_like(logits)
        wanted[batch.rows, batch.columns] = 1.0
        # as in transformers' `multi_label_classification`: the mean over labels, so that a set weighs as much as one label
        return F.binary_cross_entropy_with_logits(logits, wanted, reduction="sum") / logits.shape[1]
    return F.cross_entropy(logits, batch.labels, reduction="sum")


def label_logits(head: nn.Module, hidden: torch.Tensor, batch: Batch, specials: Specials) -> torch.Tensor:
    """Return logits of shape (units, outputs): a row per sequence, per item of choices, or per tagged token."""
    if batch.kind == "tagging":
        return head(hidden[batch.rows, batch.columns])  # type: ignore[no-any-return]
    logits: torch.Tensor = head(hidden, batch.ids, specials.marks)
    return logits.view(-1, batch.choices) if batch.kind == "choice" else logits


def span_logits(head: nn.Module, hidden: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return start and end logits, each (sequences, tokens), closed outside the context; column 0 means "no answer here"."""
    logits = head(hidden).float()
    assert batch.allowed is not None
    closed = ~batch.allowed
    return logits[..., 0].masked_fill(closed, _NEVER), logits[..., 1].masked_fill(closed, _NEVER)
