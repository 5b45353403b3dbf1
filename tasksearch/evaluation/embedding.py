"""Sentence vectors of one or several layers in one pass over the texts, which ends at the deepest layer asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tasksearch.core.errors import BadInput
from tasksearch.core.plan import Pooling
from tasksearch.evaluation.predict import batches_by_length
from tasksearch.forward.batches import Batch, Specials
from tasksearch.forward.device import autocast
from tasksearch.forward.passes import encode_batch, hidden_state
from tasksearch.models.pooling import pool
from tasksearch.tasks.encode import Encoded

Vectors = npt.NDArray[np.float32]
_STOPPABLE = ("xlm-roberta", "camembert", "bert")
"""Types of model whose middle layers do not change when those above are left out, and which keep them in `encoder.layer`."""


def layer_of(model: Any, layer: int) -> int:
    """Return the layer as an index from 0 (embeddings); negative numbers count from the last.

    Raises:
        BadInput: the model has no such layer.
    """
    layers = int(model.config.num_hidden_layers)
    if not -layers - 1 <= layer <= layers:
        raise BadInput(f"retrieval layer {layer}; the model has layers 0 (embeddings) to {layers}")
    return layer if layer >= 0 else layers + 1 + layer


@torch.inference_mode()
def embed_items(
    model: Any,
    items: Encoded,
    specials: Specials,
    layers: Sequence[int],
    pooling: Pooling,
    precision: str,
    out: Mapping[int, Vectors],
    *,
    done: int = 0,
    on_batch: Callable[[int, int], None] | None = None,
) -> None:
    """Fill one array of shape (items, width) per layer, in the items' order.

    Args:
        out: layer, as in `layers` → array to be filled.
        done: batches that an earlier call with the same arguments has already filled.
        on_batch: called with (batches done, items of this batch) after each.

    Raises:
        BadInput: the model has no such layer.
    """
    model.eval()
    wanted = {layer: layer_of(model, layer) for layer in layers}
    device = next(model.parameters()).device
    with stopped_at(model, max(wanted.values())) if len(wanted) > 1 else nullcontext():
        for number, (chosen, batch) in enumerate(batches_by_length(items, specials, device)):
            if number < done:
                continue
            with autocast(device, precision):
                states = _states(model, batch, specials, tuple(wanted.values()))
                pooled = {layer: pool(states[at], batch.ids, pooling, specials.marks) for layer, at in wanted.items()}
            for layer, vectors in pooled.items():
                out[layer][chosen] = vectors.float().cpu().numpy()
            if on_batch is not None:
                on_batch(number + 1, len(chosen))


def _states(model: Any, batch: Batch, specials: Specials, layers: tuple[int, ...]) -> Mapping[int, torch.Tensor]:
    if len(layers) == 1:
        return {layers[0]: hidden_state(model, batch.ids, specials, layers[0], padded=batch.padded)}
    found = encode_batch(model, batch.ids, specials, hidden_states=True, padded=batch.padded).hidden_states
    return {layer: found[layer] for layer in layers}


@contextmanager
def stopped_at(model: Any, layer: int) -> Iterator[None]:
    """Leave out the blocks above a layer for a while, where the type of model allows it; those below give the same bits."""
    encoder = getattr(model.base_model, "encoder", None)
    if model.config.model_type not in _STOPPABLE or encoder is None:
        yield
        return
    whole = encoder.layer
    encoder.layer = whole[: max(layer, 1)]  # one block is kept for the embeddings alone: transformers expects some
    try:
        yield
    finally:
        encoder.layer = whole
