"""File formats by name; one module per family. A new one is a `Format` and a line here."""

from __future__ import annotations

from tasksearch.tasks.formats.columns import CSV, JSONL, PACKED, TSV
from tasksearch.tasks.formats.contract import Ask, Broken, Format, Record

FORMATS: dict[str, Format] = {
    "packed": PACKED,
    "jsonl": JSONL,
    "tsv": TSV,
    "csv": CSV,
}

__all__ = ["FORMATS", "Ask", "Broken", "Format", "Record"]
