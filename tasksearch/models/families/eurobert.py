"""EuroBERT: Llama's layout, read in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from tasksearch.models.families.base import EncoderFamily
from tasksearch.models.heads import HeadShape


class EuroBert(EncoderFamily):
    """Rotary positions; an MLM head of one linear layer, not tied; transformers has no class for choices and spans."""

    model_types: ClassVar[tuple[str, ...]] = ("eurobert",)
    stock: ClassVar[bool] = True
    sdpa: ClassVar[bool] = True
    heads: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "ForSequenceClassification": {"dense": "dense", "out_proj": "classifier"},
        "ForTokenClassification": {"out_proj": "classifier"},
    }
    export_config: ClassVar[Mapping[str, Any]] = {"classifier_pooling": "bos"}

    def head_dropout(self, config: Any) -> float:
        """It has none anywhere."""
        return 0.0

    def head_shape(self, config: Any) -> HeadShape:
        """GELU, which its class has hard-coded."""
        return HeadShape(activation="gelu")

    def mlm_logits(self, model: Any, rows: torch.Tensor) -> torch.Tensor:
        """The head."""
        logits: torch.Tensor = model.lm_head(rows)
        return logits
