"""Tiny random models of every encoder family, for contracts and tests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

_SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
_FIELDS: dict[str, dict[str, Any]] = {
    "distilbert": {"hidden_dim": 64},
    "deberta-v2": {
        "relative_attention": True, "position_buckets": 8, "pos_att_type": ["p2c", "c2p"], "share_att_key": True,
        "norm_rel_ebd": "layer_norm", "position_biased_input": False, "type_vocab_size": 0,
    },
    "rembert": {"input_embedding_size": 24, "output_embedding_size": 48},
    "modernbert": {"num_hidden_layers": 4, "local_attention": 8, "classifier_pooling": "mean"},
    "eurobert": {"num_key_value_heads": 2},
    "xmod": {"languages": ["en_XX", "near1_XX", "sov_KE"], "default_language": "near1_XX", "adapter_reuse_layer_norm": True},
}  # fmt: skip
"""What makes a tiny model of a type as its published checkpoints are."""


def write_tiny_model(kind: str, tokenizer: Path, out: Path, **fields: Any) -> Path:
    """Write a folder with a random model of a type and the tokenizer files of another folder; return it.

    Biases and norms are moved off their usual zeros and ones, which would hide a layer that is left out.

    Args:
        kind: `model_type` of its configuration.
        fields: of the configuration, beside or in place of the usual ones.
    """
    import torch
    from transformers import AutoConfig, AutoModelForMaskedLM

    from tasksearch.models.encoder import quiet_transformers

    out.mkdir(parents=True, exist_ok=True)
    for path in tokenizer.glob("tokenizer*.json"):
        if path.parent != out:
            shutil.copy(path, out)
    pieces = json.loads((out / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    with quiet_transformers(), torch.random.fork_rng(devices=[]):
        shape = {"vocab_size": len(pieces) + 3, **_SHAPE, **_FIELDS.get(kind, {}), **fields}
        config = AutoConfig.for_model(kind, **shape)
        torch.default_generator.manual_seed(1)
        model = AutoModelForMaskedLM.from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        model.save_pretrained(out)
    return out
