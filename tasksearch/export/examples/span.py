"""Answers a question by a span of a text, with transformers alone.

An answer lies in the context: logits of the question's and the special pieces are never looked at. A text that is too long is
read in windows, and the best span of all windows is the answer.

python example.py "question" "context"
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

HERE = Path(__file__).parent


def load(folder: Path = HERE) -> tuple[Any, Any, dict[str, Any]]:
    """Model, tokenizer, and what the export noted of the training."""
    model = AutoModelForQuestionAnswering.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return model.eval(), tokenizer, json.loads((folder / "tasksearch.json").read_text(encoding="utf-8"))


def best_span(starts: torch.Tensor, ends: torch.Tensor, n_best: int, longest: int) -> tuple[float, int, int]:
    """(score, first, last) of the best pair with first <= last < first + longest among the n best starts and ends."""
    first = starts.sort(descending=True, stable=True).indices[:n_best]
    last = ends.sort(descending=True, stable=True).indices[:n_best]
    width = last[None, :] - first[:, None]
    scores = (starts[first][:, None] + ends[last][None, :]).masked_fill((width < 0) | (width >= longest), -torch.inf)
    i, j = divmod(int(scores.argmax()), len(last))
    return float(scores[i, j]), int(first[i]), int(last[j])


def joined(tokenizer: Any, probe: Any, asked: list[int], window: list[int]) -> tuple[dict[str, torch.Tensor], int]:
    """One row of the tokenizer's own template, and where the window begins in it."""
    ids: list[int] = []
    types: list[int] = []
    begin, owners = 0, probe.sequence_ids
    for at, owner in enumerate(owners):
        if owner is not None and owner in owners[:at]:
            continue  # a further piece of the probe
        begin = len(ids) if owner == 1 else begin
        added = [probe.ids[at]] if owner is None else (asked, window)[owner]
        ids += added
        types += [probe.type_ids[at]] * len(added)
    row = {"input_ids": ids, "token_type_ids": types}
    return {name: torch.tensor([row[name]]) for name in row if name in tokenizer.model_input_names}, begin


@torch.inference_mode()
def answer(model: Any, tokenizer: Any, settings: dict[str, Any], question: str, context: str) -> str:
    """The best span of the context; empty where the context holds no piece."""
    most, probe = settings["max_length"], tokenizer.backend_tokenizer.encode("a", "b")
    asked = tokenizer(question, add_special_tokens=False)["input_ids"][: min(settings["max_question"], most // 2)]
    text = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True)
    room, best = max(1, most - probe.sequence_ids.count(None) - len(asked)), (-torch.inf, "")
    start = 0
    while start < len(text["input_ids"]):
        window = text["input_ids"][start : start + room]
        with torch.autocast("cpu", torch.bfloat16, enabled=settings["precision"] == "bf16"):
            row, begin = joined(tokenizer, probe, asked, window)
            out = model(**row)
        inside = slice(begin, begin + len(window))
        starts, ends = out.start_logits[0, inside].float(), out.end_logits[0, inside].float()
        score, first, last = best_span(starts, ends, settings["n_best"], settings["longest_answer"])
        if score > best[0]:
            places = text["offset_mapping"][start : start + room]
            best = (score, context[places[first][0] : places[last][1]])
        if start + room >= len(text["input_ids"]):
            break
        start += min(settings["stride"], room)
    return best[1]


def predict(model: Any, tokenizer: Any, settings: dict[str, Any], items: list[tuple[str, str]]) -> list[str]:
    """The answer to each (question, context)."""
    return [answer(model, tokenizer, settings, question, context) for question, context in items]


if __name__ == "__main__":
    said = sys.argv[1:3] if len(sys.argv) > 2 else ["Where is the kettle?", "She put the kettle on the stove and sat down."]
    print(predict(*load(), [(said[0], said[1])])[0])
