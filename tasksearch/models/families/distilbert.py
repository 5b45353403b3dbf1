"""DistilBERT's layout: distil-mBERT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from tasksearch.models.families.base import EncoderFamily
from tasksearch.models.heads import HeadShape


class DistilBert(EncoderFamily):
    """No token types, an MLM head in four pieces, ReLU in the sentence head."""

    model_types: ClassVar[tuple[str, ...]] = ("distilbert",)
    mlm_keys: ClassVar[str] = "vocab_transform."
    stock: ClassVar[bool] = True
    sdpa: ClassVar[bool] = True
    heads: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "ForSequenceClassification": {"dense": "pre_classifier", "out_proj": "classifier"},
        "ForMultipleChoice": {"dense": "pre_classifier", "out_proj": "classifier"},
        "ForTokenClassification": {"out_proj": "classifier"},
        "ForQuestionAnswering": {"out_proj": "qa_outputs"},
    }

    def head_dropout(self, config: Any) -> float:
        """The encoder's own, as in the other families; `seq_classif_dropout` is of one head alone."""
        return float(config.dropout)

    def head_shape(self, config: Any) -> HeadShape:
        """ReLU, which its classes have hard-coded."""
        return HeadShape(activation="relu")

    def mlm_logits(self, model: Any, rows: torch.Tensor) -> torch.Tensor:
        """The tied head."""
        logits: torch.Tensor = model.vocab_projector(model.vocab_layer_norm(model.activation(model.vocab_transform(rows))))
        return logits
