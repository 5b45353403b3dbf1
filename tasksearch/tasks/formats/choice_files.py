"""HellaSwag and CommonsenseQA as JSON lines, Cosmos QA as csv; prompts and choices put together as jiant does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasksearch.tasks.fields import text_of, texts_of
from tasksearch.tasks.formats.contract import Ask, Format
from tasksearch.tasks.formats.lines import comma_lines, json_lines


def hellaswag_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """`ind ctx_a ctx_b endings label source_id`: the prompt is `ctx_a`, a choice is `ctx_b` and an ending (hellaswag.py)."""
    lead = text_of(record, "ctx_b")
    return {
        "id": str(record["ind"]),
        "prompt": text_of(record, "ctx_a"),
        "choices": [f"{lead} {ending}" for ending in texts_of(record, "endings")],
        "label": index_of(record["label"]),
        "document": str(record.get("source_id", "")),
    }


def commonsense_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """`id question{stem, choices[{label, text}]} answerKey`."""
    question, key = record["question"], record["answerKey"]
    keys = [choice["label"] for choice in question["choices"]]
    if key not in keys:
        raise ValueError(f"answerKey {key!r} is none of {', '.join(map(str, keys))}")
    choices = [text_of(choice, "text") for choice in question["choices"]]
    return {"id": str(record["id"]), "prompt": text_of(question, "stem"), "choices": choices, "label": keys.index(key)}


def cosmos_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """`id context question answer0 … answer3 label`: the prompt is the context and the question (cosmosqa.py)."""
    context = text_of(record, "context")
    return {
        "id": str(record["id"]),
        "prompt": f"{context} {text_of(record, 'question')}",
        "choices": [text_of(record, f"answer{n}") for n in range(4)],
        "label": index_of(record["label"]),
        "document": context,
    }


def index_of(label: object) -> int:
    """A label that is the index of a choice, as a number or as text."""
    if isinstance(label, bool) or not str(label).isdecimal():
        raise ValueError(
            f"label {label!r}; expected the index of the right choice (a test file without labels cannot be scored)"
        )
    return int(str(label))


HELLASWAG = Format(records=json_lines, row=hellaswag_row)
COMMONSENSE = Format(records=json_lines, row=commonsense_row)
COSMOS = Format(records=comma_lines, row=cosmos_row)
