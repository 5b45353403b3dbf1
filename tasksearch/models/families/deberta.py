"""DeBERTa-v2's layout: mDeBERTa-v3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn

from tasksearch.models.families.base import EncoderFamily


class DebertaV2(EncoderFamily):
    """Attention with relative positions; no token types.

    mDeBERTa-v3 was trained by replaced-token detection: what its files hold of an MLM head was never trained as one, so there
    is none here, and mixes with MLM are refused.
    """

    model_types: ClassVar[tuple[str, ...]] = ("deberta-v2",)
    mlm_keys: ClassVar[str] = ""
    stock: ClassVar[bool] = True
    heads: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "ForSequenceClassification": {"dense": "pooler.dense", "out_proj": "classifier"},
        "ForMultipleChoice": {"dense": "pooler.dense", "out_proj": "classifier"},
        "ForTokenClassification": {"out_proj": "classifier"},
        "ForQuestionAnswering": {"out_proj": "qa_outputs"},
    }
    export_config: ClassVar[Mapping[str, Any]] = {"pooler_hidden_act": "tanh"}

    def mend(self, model: Any) -> None:
        """The table of relative positions is no part of a batch, so its dropout is no part of a cut step's."""
        for module in model.modules():
            if isinstance(getattr(module, "pos_dropout", None), nn.Dropout):
                module.pos_dropout = _TableDropout(module.pos_dropout.p)


class _TableDropout(nn.Dropout):
    """Dropout that `forward.dropout.StepDropout` does not see: torch's own, in the shape of its input."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - nn.Dropout's name
        return torch.dropout(input, self.p, self.training)
