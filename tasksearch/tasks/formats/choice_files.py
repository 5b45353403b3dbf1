"""HellaSwag and CommonsenseQA as JSON lines, Cosmos QA as CSV; prompts and choices are composed as in jiant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasksearch.core.text_files import shown
from tasksearch.tasks.fields import text_of, texts_of
from tasksearch.tasks.formats.contract import Ask, Format
from tasksearch.tasks.formats.lines import comma_lines, json_lines


def hellaswag_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """Read `ind ctx_a ctx_b endings label source_id`.

    The prompt is `ctx_a`, a choice is `ctx_b` and an ending (hellaswag.py).
    """
    lead = text_of(record, "ctx_b")
    return {
        "id": record["ind"],
        "prompt": text_of(record, "ctx_a"),
        "choices": [f"{lead} {ending}" for ending in texts_of(record, "endings")],
        "label": record["label"],
        "document": record.get("source_id"),
    }


def commonsense_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """Read `id question{stem, choices[{label, text}]} answerKey`."""
    question, key = record["question"], record["answerKey"]
    keys = [choice["label"] for choice in question["choices"]]
    if key not in keys:
        raise ValueError(f"answerKey {shown(key)} is none of {', '.join(map(str, keys))}")
    choices = [text_of(choice, "text") for choice in question["choices"]]
    return {"id": record["id"], "prompt": text_of(question, "stem"), "choices": choices, "label": keys.index(key)}


def cosmos_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """Read `id context question answer0 … answer3 label`: the prompt is the context and the question (cosmosqa.py)."""
    context = text_of(record, "context")
    return {
        "id": record["id"],
        "prompt": f"{context} {text_of(record, 'question')}",
        "choices": [text_of(record, f"answer{n}") for n in range(4)],
        "label": record["label"],
        "document": context,
    }


HELLASWAG = Format(records=json_lines, row=hellaswag_row)
COMMONSENSE = Format(records=json_lines, row=commonsense_row)
COSMOS = Format(records=comma_lines, row=cosmos_row)
