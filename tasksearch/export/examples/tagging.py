"""Tags the words of a sentence, with transformers alone. A word's tag is read at its first piece.

python example.py word word word …
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

HERE = Path(__file__).parent


def load(folder: Path = HERE) -> tuple[Any, Any, dict[str, Any]]:
    """Model, tokenizer, and what the export noted of the training."""
    model = AutoModelForTokenClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return model.eval(), tokenizer, json.loads((folder / "tasksearch.json").read_text(encoding="utf-8"))


def windows(tokenizer: Any, words: list[str], max_length: int) -> list[tuple[list[int], list[int]]]:
    """(token ids, places of the words' first pieces): a sentence that is too long is split between words, not cut."""
    probe = tokenizer.backend_tokenizer.encode("a")
    first, last = probe.sequence_ids.index(0), len(probe.ids) - probe.sequence_ids[::-1].index(0)
    begin, end, room = probe.ids[:first], probe.ids[last:], max_length - probe.sequence_ids.count(None)
    rows: list[tuple[list[int], list[int]]] = [([*begin], [])]
    for word in tokenizer(words, add_special_tokens=False)["input_ids"]:
        pieces = word[:room] or [tokenizer.unk_token_id]
        if len(rows[-1][0]) + len(pieces) > len(begin) + room:
            rows.append(([*begin], []))
        rows[-1][1].append(len(rows[-1][0]))
        rows[-1][0].extend(pieces)
    return [([*ids, *end], places) for ids, places in rows]


@torch.inference_mode()
def predict(model: Any, tokenizer: Any, settings: dict[str, Any], sentences: list[list[str]]) -> list[list[str]]:
    """One tag per word of each sentence."""
    tagged = []
    for words in sentences:
        tags: list[str] = []
        for ids, places in windows(tokenizer, words, settings["max_length"]):
            with torch.autocast("cpu", torch.bfloat16, enabled=settings["precision"] == "bf16"):
                logits = model(torch.tensor([ids])).logits[0]
            tags += [model.config.id2label[int(tag)] for tag in logits[places].argmax(-1)]
        tagged.append(tags)
    return tagged


if __name__ == "__main__":
    said = sys.argv[1:] or ["She", "put", "the", "kettle", "on", "the", "stove", "."]
    for word, tag in zip(said, predict(*load(), [said])[0], strict=True):
        print(f"{word}\t{tag}")
