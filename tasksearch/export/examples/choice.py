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


def encode(tokenizer: Any, prompt: str, choice: str, max_length: int) -> list[int]:
    """`<s> prompt </s></s> choice </s>`; where it is too long the front of the prompt goes, as in training."""
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    ending = tokenizer(choice, add_special_tokens=False)["input_ids"][: max_length - 4]
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    return [begin, *ids[max(0, len(ids) - (max_length - 4 - len(ending))) :], end, end, *ending, end]


@torch.inference_mode()
def predict(model: Any, tokenizer: Any, settings: dict[str, Any], items: list[tuple[str, tuple[str, ...]]]) -> list[int]:
    """The index of the best choice, for each (prompt, choices)."""
    best = []
    for prompt, choices in items:
        rows = [encode(tokenizer, prompt, choice, settings["max_length"]) for choice in choices]
        batch = tokenizer.pad({"input_ids": rows}, return_tensors="pt")
        with torch.autocast("cpu", torch.bfloat16, enabled=settings["precision"] == "bf16"):
            logits = model(batch["input_ids"][None], attention_mask=batch["attention_mask"][None]).logits
        best.append(int(logits.argmax(-1)))
    return best


if __name__ == "__main__":
    prompt, *choices = sys.argv[1:] or ["She put the kettle on the stove.", "She flew to the moon.", "She made a cup of tea."]
    print(choices[predict(*load(), [(prompt, tuple(choices))])[0]])
