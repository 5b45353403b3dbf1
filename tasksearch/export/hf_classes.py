"""Convert an encoder and a head of this project to the stock transformers class that computes the same.

`ClassificationHead` on the first piece is dense → activation → linear, with the family's activation. That is the classification
head of RoBERTa's layout, and also the pooler of BERT's, and of every multiple-choice class, with its classifier behind: all are
exact. `TokenHead` is one linear layer, as in token classification and question answering. A head on `pair-diff` features has no
stock class, and no remote code is ever written. Where each layer stands in which class is the family's to say
(`models.families`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from tasksearch.core.errors import BadInput, ModelUnusable, first_line
from tasksearch.core.plan import Features
from tasksearch.models.encoder import check_source, quiet_transformers
from tasksearch.models.families import adopt, family_for, family_of
from tasksearch.models.families.base import EXPORTS
from tasksearch.models.heads import ClassificationHead, TokenHead


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
        kind: of the target.
        model: of a family; its MLM head is left out.
        head: trained on `cls` features where it is a `ClassificationHead`.
        labels: in the order of the head's outputs; empty for span and choice.

    Raises:
        BadInput: the family has no class for the kind.
    """
    import transformers

    family = family_of(model)
    name = family.export_class(model, kind)
    if not name:
        raise BadInput(
            f"transformers has no {EXPORTS[kind].removeprefix('For')} class for {model.config.model_type!r} models; expected "
            "a target of another kind, or --encoder-only"
        )
    config = copy.deepcopy(model.config)
    config.architectures = [name]
    config.update(family.export_config)
    if labels:
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: number for number, label in enumerate(labels)}
    if kind in ("pair", "sentence", "multilabel"):
        config.problem_type = "multi_label_classification" if kind == "multilabel" else "single_label_classification"
    with quiet_transformers(), torch.random.fork_rng(devices=[]):
        stock = getattr(transformers, name)(config)
    encoder = f"{model.base_model_prefix}."
    table = {key: value for key, value in model.state_dict().items() if key.startswith(encoder)}
    for layer, place in family.heads[EXPORTS[kind]].items():
        for part, value in getattr(head, layer).state_dict().items():
            table[f"{place}.{part}"] = value
    stock.load_state_dict({key: value.detach().cpu() for key, value in table.items()}, strict=True)
    return stock.to(model.dtype).eval()


def stock_encoder(model: Any, *, has_mlm_head: bool) -> Any:
    """Return the encoder with its MLM head, or without where the checkpoint had none: a random one is not exported."""
    kept = copy.deepcopy(model).to("cpu").eval()
    if has_mlm_head:
        return kept
    encoder = kept.base_model
    encoder.config.architectures = [type(encoder).__name__]
    return encoder


def target_model(folder: str, kind: str, architecture: str) -> tuple[Any, nn.Module, Any]:
    """Return the encoder, this project's head and the tokenizer of an exported target: the inverse of `stock_model`.

    Raises:
        ModelUnusable: the folder holds no such model.
    """
    import transformers

    loader: Any = getattr(transformers, architecture, None) if architecture.endswith(EXPORTS.get(kind, "?")) else None
    if not (isinstance(loader, type) and issubclass(loader, transformers.PreTrainedModel)):
        raise ModelUnusable(f"model {folder!r} holds a {architecture!r}; expected a class of transformers for a {kind} target")
    check_source(folder)
    with quiet_transformers():
        try:
            stock, info = loader.from_pretrained(
                folder, use_safetensors=True, trust_remote_code=False, dtype=torch.float32, output_loading_info=True
            )
            family = family_for(stock.config.model_type)
            tokenizer = family.tokenizer(folder)
        except Exception as fault:
            raise ModelUnusable(f"model {folder!r} cannot be loaded: {first_line(fault)}") from None
    if info["missing_keys"]:
        raise ModelUnusable(f"model {folder!r} lacks the weights {sorted(info['missing_keys'])[0]!r}; expected a whole export")
    family.settle(stock, tokenizer)
    places = family.heads[EXPORTS[kind]]
    outputs, width = stock.get_submodule(places["out_proj"]).weight.shape
    head: nn.Module = (
        ClassificationHead(width, outputs, "cls", pair=kind in ("pair", "choice"), dropout=0.0)
        if "dense" in places
        else TokenHead(width, outputs, dropout=0.0)
    )
    weights = {layer: stock.get_submodule(place).state_dict() for layer, place in places.items()}
    head.load_state_dict({f"{layer}.{name}": value for layer, table in weights.items() for name, value in table.items()})
    return adopt(stock, family).eval(), head.eval(), tokenizer
