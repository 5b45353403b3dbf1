"""Sentence vectors and retrieval of translations, with transformers alone.

python example.py "a sentence" "another" …          prints their cosines
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoTokenizer

HERE = Path(__file__).parent


def load(folder: Path = HERE) -> tuple[Any, Any, dict[str, Any]]:
    """Encoder (without a pooler, which was never trained), tokenizer, and what the export noted of the training."""
    model = AutoModel.from_pretrained(folder, add_pooling_layer=False)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return model.eval(), tokenizer, json.loads((folder / "tasksearch.json").read_text(encoding="utf-8"))


@torch.inference_mode()
def embed(model: Any, tokenizer: Any, settings: dict[str, Any], texts: list[str]) -> torch.Tensor:
    """(texts, width): vectors of the layer, by the pooling and after the prefix that the scores were taken with."""
    how, vectors = settings["retrieval"], []
    for text in texts:
        batch = tokenizer(how.get("prefix", "") + text, truncation=True, max_length=settings["max_length"], return_tensors="pt")
        with torch.autocast("cpu", torch.bfloat16, enabled=settings["precision"] == "bf16"):
            tokens = model(**batch, output_hidden_states=True).hidden_states[how["layer"]][0].float()
        content = torch.tensor([owner is not None for owner in batch.sequence_ids(0)])
        kept = {"cls": tokens[:1], "mean": tokens, "mean-content": tokens[content]}[how["pooling"]]
        vectors.append(kept.sum(0) / max(1, len(kept)))
    return torch.stack(vectors)


def retrieve(queries: torch.Tensor, pool: torch.Tensor, *, centering: bool) -> list[int]:
    """For each query the index of its nearest neighbour in the pool, by cosine.

    With `centering` each side loses its mean vector first: the two sides are the whole of one language each, as in the scores.
    """
    if centering:
        queries, pool = queries - queries.mean(0), pool - pool.mean(0)
    queries, pool = (torch.nn.functional.normalize(side, dim=1) for side in (queries, pool))
    return [int(i) for i in (queries @ pool.T).argmax(1)]


if __name__ == "__main__":
    said = sys.argv[1:] or ["She put the kettle on the stove.", "The kettle stands on the stove.", "He sold his car."]
    unit = torch.nn.functional.normalize(embed(*load(), said), dim=1)
    for text, row in zip(said, unit @ unit.T, strict=True):
        print(" ".join(f"{float(value):+.3f}" for value in row), text)
