"""BERT's layout with any tokenizer: mBERT, LaBSE, multilingual MiniLM, E5 small."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from tasksearch.models.families.base import EncoderFamily


class Bert(EncoderFamily):
    """`model.bert` with `model.cls`; token types of the tokenizer's template are fed where they differ."""

    model_types: ClassVar[tuple[str, ...]] = ("bert",)
    mlm_keys: ClassVar[str] = "cls.predictions."
    has_types: ClassVar[bool] = True
    stock: ClassVar[bool] = True
    sdpa: ClassVar[bool] = True
    heads: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "ForSequenceClassification": {"dense": "bert.pooler.dense", "out_proj": "classifier"},
        "ForMultipleChoice": {"dense": "bert.pooler.dense", "out_proj": "classifier"},
        "ForTokenClassification": {"out_proj": "classifier"},
        "ForQuestionAnswering": {"out_proj": "qa_outputs"},
    }

    def mlm_logits(self, model: Any, rows: torch.Tensor) -> torch.Tensor:
        """The tied head."""
        logits: torch.Tensor = model.cls(rows)
        return logits
