"""RemBERT: BERT's layout with embeddings of other widths, not tied to the MLM head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from tasksearch.models.families.bert import Bert


class RemBert(Bert):
    """Token types matter, though its tokenizer does not return them by itself."""

    model_types: ClassVar[tuple[str, ...]] = ("rembert",)
    sdpa: ClassVar[bool] = False
    heads: ClassVar[Mapping[str, Mapping[str, str]]] = {
        ending: {layer: place.replace("bert.", "rembert.") for layer, place in layers.items()}
        for ending, layers in Bert.heads.items()
    }

    def head_dropout(self, config: Any) -> float:
        """That of its classifiers: 0.1, where its encoder has none."""
        return float(config.classifier_dropout_prob)

    def encode(
        self, model: Any, ids: torch.Tensor, mask: torch.Tensor | None, types: torch.Tensor | None, *, hidden_states: bool
    ) -> Any:
        """In fp32 under autocast too, as the other families give it."""
        out = super().encode(model, ids, mask, types, hidden_states=hidden_states)
        out.last_hidden_state = out.last_hidden_state.float()
        if out.hidden_states is not None:
            out.hidden_states = tuple(state.float() for state in out.hidden_states)
        return out
