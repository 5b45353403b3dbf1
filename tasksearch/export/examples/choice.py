"""Picks one of several continuations, with transformers alone.

python example.py "prompt" "first choice" "second choice" …
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMultipleChoice, AutoTokenizer

HERE = Path(__file__).parent


def load(folder: Path = HERE) -> tuple[Any, Any, dict[str, Any]]:
    """Model, tokenizer, and what the export noted of the training."""
    model = AutoModelForMultipleChoice.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return model.eval(), tokenizer, json.loads((folder / "tasksearch.json").read_text(encoding="utf-8"))


def encode(tokenizer: Any, prompt: str, choice: str, max_length: int) -> dict[str, list[int]]:
    """The pair (prompt, choice) in the tokenizer's template; a front too long is cut, as in training."""
    probe = tokenizer.backend_tokenizer.encode("a", "b")
    owners, room = probe.sequence_ids, max_length - probe.sequence_ids.count(None)
    ending = tokenizer(choice, add_special_tokens=False)["input_ids"][:room]
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    texts = {0: ids[max(0, len(ids) - (room - len(ending))) :], 1: ending}
    row: dict[str, list[int]] = {"input_ids": [], "token_type_ids": []}
    for at, owner in enumerate(owners):
        if owner is None or owner not in owners[:at]:
            added = [probe.ids[at]] if owner is None else texts[owner]
            row["input_ids"] += added
            row["token_type_ids"] += [probe.type_ids[at]] * len(added)
    return {name: row[name] for name in row if name in tokenizer.model_input_names}


@torch.inference_mode()
def predict(model: Any, tokenizer: Any, settings: dict[str, Any], items: list[tuple[str, tuple[str, ...]]]) -> list[int]:
    """The index of the best choice, for each (prompt, choices)."""
    best = []
    for prompt, choices in items:
        rows = [encode(tokenizer, prompt, choice, settings["max_length"]) for choice in choices]
        batch = tokenizer.pad(rows, return_tensors="pt")
        with torch.autocast("cpu", torch.bfloat16, enabled=settings["precision"] == "bf16"):
            logits = model(**{name: table[None] for name, table in batch.items()}).logits
        best.append(int(logits.argmax(-1)))
    return best


if __name__ == "__main__":
    prompt, *choices = sys.argv[1:] or ["She put the kettle on the stove.", "She flew to the moon.", "She made a cup of tea."]
    print(choices[predict(*load(), [(prompt, tuple(choices))])[0]])
