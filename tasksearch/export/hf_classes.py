"""Convert an encoder and a head of this project to the stock transformers class that computes the same.

`ClassificationHead` on `<s>` is dense → tanh → linear. That is `XLMRobertaClassificationHead`, and it is also the pooler of
`XLMRobertaForMultipleChoice` with its classifier behind: both are exact. `TokenHead` is one linear layer, as in token
classification and question answering. A head on `pair-diff` features has no stock class; custom model code is never exported.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from tasksearch.core.errors import BadInput
from tasksearch.core.plan import Features
from tasksearch.models.encoder import quiet_transformers

CLASSES = {
    "pair": "XLMRobertaForSequenceClassification",
    "sentence": "XLMRobertaForSequenceClassification",
    "multilabel": "XLMRobertaForSequenceClassification",
    "choice": "XLMRobertaForMultipleChoice",
    "tagging": "XLMRobertaForTokenClassification",
    "span": "XLMRobertaForQuestionAnswering",
}
"""Kind of target → transformers class."""

_HEADS: dict[str, dict[str, str]] = {
    "XLMRobertaForSequenceClassification": {"dense": "classifier.dense", "out_proj": "classifier.out_proj"},
    "XLMRobertaForMultipleChoice": {"dense": "roberta.pooler.dense", "out_proj": "classifier"},
    "XLMRobertaForTokenClassification": {"out_proj": "classifier"},
    "XLMRobertaForQuestionAnswering": {"out_proj": "qa_outputs"},
}
"""Class → its layer for each layer of the project's head."""


def check_exportable(target: str, kind: str, features: Features) -> None:
    """Raise BadInput for a head that no stock class can hold; the message says what works."""
    if kind in ("retrieval", "mining"):
        raise BadInput(f"target {target!r} trains no head; expected --encoder-only for it, which exports the encoder it scores")
    if features == "pair-diff" and kind in ("pair", "sentence", "multilabel", "choice"):
        raise BadInput(
            f"target {target!r}: no transformers class has a head on 'pair-diff' features; add --features cls, which trains "
            "another plan, with its own scores, whose head transformers has"
        )


def stock_model(kind: str, model: Any, head: nn.Module, labels: Sequence[str]) -> Any:
    """Return the stock model with the encoder's and the head's weights, on the CPU, in evaluation mode.

    Args:
        kind: kind of the target.
        model: an `XLMRobertaForMaskedLM`; its MLM head is left out.
        head: trained on `cls` features where it is a `ClassificationHead`.
        labels: in the order of the head's outputs; empty for span and choice.
    """
    import transformers

    name = CLASSES[kind]
    config = copy.deepcopy(model.config)
    config.architectures = [name]
    if labels:
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: number for number, label in enumerate(labels)}
    if kind in ("pair", "sentence", "multilabel"):
        config.problem_type = "multi_label_classification" if kind == "multilabel" else "single_label_classification"
    with quiet_transformers(), torch.random.fork_rng(devices=[]):
        stock = getattr(transformers, name)(config)
    table = {key: value for key, value in model.state_dict().items() if key.startswith("roberta.")}
    for layer, place in _HEADS[name].items():
        for part, value in getattr(head, layer).state_dict().items():
            table[f"{place}.{part}"] = value
    stock.load_state_dict({key: value.detach().cpu() for key, value in table.items()}, strict=True)
    return stock.to(model.dtype).eval()


def stock_encoder(model: Any, *, has_mlm_head: bool) -> Any:
    """Return the encoder with its MLM head, or without where the checkpoint had none: a random one is not exported."""
    kept = copy.deepcopy(model).to("cpu").eval()
    if has_mlm_head:
        return kept
    kept.roberta.config.architectures = ["XLMRobertaModel"]
    return kept.roberta
