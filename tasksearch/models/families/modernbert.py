"""ModernBERT's layout: mmBERT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from tasksearch.models.attention_mask import within
from tasksearch.models.families.base import EncoderFamily
from tasksearch.models.heads import HeadShape


class ModernBert(EncoderFamily):
    """Rotary positions and local attention; every head, MLM's too, is dense → activation → norm → linear.

    Task heads are drawn anew. transformers' own classes begin with the MLM head's dense layer and norm, whose names are theirs.
    """

    model_types: ClassVar[tuple[str, ...]] = ("modernbert",)
    mlm_keys: ClassVar[str] = "decoder."
    stock: ClassVar[bool] = True
    sdpa: ClassVar[bool] = True
    heads: ClassVar[Mapping[str, Mapping[str, str]]] = {
        ending: {"dense": "head.dense", "norm": "head.norm", "out_proj": "classifier"}
        for ending in ("ForSequenceClassification", "ForMultipleChoice", "ForTokenClassification", "ForQuestionAnswering")
    }
    export_config: ClassVar[Mapping[str, Any]] = {"classifier_pooling": "cls", "classifier_activation": "gelu"}

    def head_dropout(self, config: Any) -> float:
        """0 in the published configurations."""
        return float(config.classifier_dropout)

    def head_shape(self, config: Any) -> HeadShape:
        """As its classes have it."""
        bias, norm = bool(config.classifier_bias), bool(config.norm_bias)
        return HeadShape(activation="gelu", bias=bias, norm=float(config.norm_eps), norm_bias=norm, tokens=True)

    def mask_for(self, model: Any, mask: torch.Tensor) -> Any:
        """One mask for layers that see everything, one for those that see a window."""
        whole = super().mask_for(model, mask)
        if whole is mask:
            return mask
        return {"full_attention": whole, "sliding_attention": within(whole, model.config.sliding_window)}

    def mlm_logits(self, model: Any, rows: torch.Tensor) -> torch.Tensor:
        """The tied head."""
        logits: torch.Tensor = model.decoder(model.head(rows))
        return logits
