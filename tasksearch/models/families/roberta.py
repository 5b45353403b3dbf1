"""RoBERTa's layout with a multilingual vocabulary: XLM-R (also E5 and BGE-M3), XLM-R XL, CamemBERT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from tasksearch.models.families.base import EncoderFamily


class RobertaLayout(EncoderFamily):
    """Positions are numbered from the padding's index + 1; `model.roberta` with `model.lm_head`."""

    model_types: ClassVar[tuple[str, ...]] = ("camembert", "xlm-roberta-xl")
    stock: ClassVar[bool] = True
    sdpa: ClassVar[bool] = True
    heads: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "ForSequenceClassification": {"dense": "classifier.dense", "out_proj": "classifier.out_proj"},
        "ForMultipleChoice": {"dense": "roberta.pooler.dense", "out_proj": "classifier"},
        "ForTokenClassification": {"out_proj": "classifier"},
        "ForQuestionAnswering": {"out_proj": "qa_outputs"},
    }

    def settle(self, model: Any, tokenizer: Any) -> None:
        """Raises ValueError where the padding differs: every position would be another."""
        if None in (tokenizer.bos_token_id, tokenizer.eos_token_id) or tokenizer.pad_token_id != model.config.pad_token_id:
            raise ValueError("the tokenizer lacks <s>, </s> or the model's <pad>")

    def longest(self, config: Any) -> int:
        """Rows of the position table behind the padding's."""
        return int(config.max_position_embeddings) - int(config.pad_token_id) - 1

    def mlm_logits(self, model: Any, rows: torch.Tensor) -> torch.Tensor:
        """The tied head."""
        logits: torch.Tensor = model.lm_head(rows)
        return logits


class XlmR(RobertaLayout):
    """XLM-R.

    Tokenizer and fingerprint are as in the first version: others would name, and train, every segment anew.
    """

    model_types: ClassVar[tuple[str, ...]] = ("xlm-roberta",)

    def tokenizer(self, source: str) -> Any:
        """As `AutoTokenizer` builds it."""
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(source, use_fast=True, trust_remote_code=False)

    def identity(self, config: Any) -> str:
        """Nothing beyond what every family's fingerprint has."""
        return ""


def new_xlm_r(
    tokenizer: Any,
    *,
    max_length: int,
    hidden_size: int,
    layers: int,
    heads: int,
    dropout: float,
    initializer_range: float,
) -> Any:
    """An untrained `XLMRobertaForMaskedLM` for a tokenizer, weights drawn from torch's generator."""
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    return XLMRobertaForMaskedLM(
        XLMRobertaConfig(
            vocab_size=len(tokenizer),
            hidden_size=hidden_size,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=4 * hidden_size,
            max_position_embeddings=max_length + 2,
            type_vocab_size=1,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
            initializer_range=initializer_range,
            layer_norm_eps=1e-5,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
