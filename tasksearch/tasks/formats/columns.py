"""Formats that only need column names: JSON lines, tables with tabs or commas, and the packed layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasksearch.tasks.formats.contract import Ask, Format
from tasksearch.tasks.formats.lines import comma_lines, json_lines, quoted_tab_lines, tab_lines

FIELDS: dict[str, tuple[str, ...]] = {
    "pair": ("a", "b", "label"),
    "sentence": ("a", "label"),
    "multilabel": ("a", "labels"),
    "choice": ("prompt", "choices", "label"),
    "span": ("question", "context", "answers"),
    "tagging": ("words", "tags"),
    "retrieval": ("text", "english"),
    "mining": ("text", "english", "translations"),
    "mlm": ("a",),
}
"""Kind → fields that each of its rows must have."""
OPTIONAL: dict[str, tuple[str, ...]] = {"mlm": ("b",)}
"""Kind → fields that its rows have where the source names their columns: of MLM the translation (TLM)."""


def as_is(record: Mapping[str, Any], ask: Ask) -> Mapping[str, Any]:
    """Return the fields of the packed layout under their own names."""
    return record


def renamed(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """Return fields from the columns that the card names; `id` and `document` only if the card names their columns."""
    row = {field: record[ask.column(field)] for field in FIELDS[ask.card.kind]}
    row |= {field: record[ask.column(field)] for field in ("id", "document", "b") if field in ask.columns}
    return row


PACKED = Format(records=json_lines, row=as_is)
JSONL = Format(records=json_lines, row=renamed)
TSV = Format(records=tab_lines, row=renamed)
TSV_QUOTED = Format(records=quoted_tab_lines, row=renamed)
CSV = Format(records=comma_lines, row=renamed)
