"""Adding something to the input embeddings of a forward pass, whatever the family of the encoder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from tasksearch.core.errors import TrainingFailed


@contextmanager
def shifted(model: Any, shift: torch.Tensor | None) -> Iterator[None]:
    """Context in which `shift`, (sequences, tokens, width), is added to what the table of input embeddings gives.

    Positions, token types and layer norm come after it, as with `inputs_embeds` in transformers. None: nothing is added.

    Raises:
        TrainingFailed: the encoder looks its pieces up in another shape.
    """
    if shift is None:
        yield
        return
    added = shift

    def add(_module: nn.Module, _given: Any, found: torch.Tensor) -> torch.Tensor:
        if found.shape != added.shape:
            raise TrainingFailed(
                f"the encoder looks up embeddings of shape {tuple(found.shape)} for a batch of {tuple(added.shape)}: methods "
                "that change embeddings do not work with it"
            )
        return found + added.to(found.dtype)

    hook = model.get_input_embeddings().register_forward_hook(add)
    try:
        yield
    finally:
        hook.remove()
