"""Classifies a sentence, or a pair of them, with transformers alone.

python example.py "first sentence" ["second sentence"]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

HERE = Path(__file__).parent


def load(folder: Path = HERE) -> tuple[Any, Any, dict[str, Any]]:
    """Model, tokenizer, and what the export noted of the training."""
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return model.eval(), tokenizer, json.loads((folder / "tasksearch.json").read_text(encoding="utf-8"))


@torch.inference_mode()
def predict(model: Any, tokenizer: Any, settings: dict[str, Any], texts: list[tuple[str, str | None]]) -> list[str]:
    """One label per (first, second) pair; the second is None where the task is of single sentences.

    A model of several labels per sentence gives those above one half, with spaces between.
    """
    labels = []
    for first, second in texts:
        batch = tokenizer(first, second, truncation=True, max_length=settings["max_length"], return_tensors="pt")
        with torch.autocast("cpu", torch.bfloat16, enabled=settings["precision"] == "bf16"):
            logits = model(**batch).logits
        several = model.config.problem_type == "multi_label_classification"
        chosen = (logits[0] > 0).nonzero().flatten().tolist() if several else [int(logits.argmax(-1))]
        labels.append(" ".join(model.config.id2label[number] for number in chosen))
    return labels


if __name__ == "__main__":
    said = sys.argv[1:3] or ["A man is playing a guitar on the stage.", "Nobody is making music."]
    print(predict(*load(), [(said[0], said[1] if len(said) > 1 else None)])[0])
