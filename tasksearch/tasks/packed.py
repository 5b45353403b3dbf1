"""The packed layout: `<root>/<folder>/<language>.<split>.jsonl.gz`, one JSON object per line with the fields of its kind."""

from __future__ import annotations

from pathlib import Path

from tasksearch.core.errors import BadInput
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.examples import Example, RawText
from tasksearch.tasks.fields import FAULTS, text_of, why
from tasksearch.tasks.formats import Broken
from tasksearch.tasks.formats.lines import json_lines
from tasksearch.tasks.reading import file_fingerprint, path_of, read_file
from tasksearch.tasks.source_spec import PACKED

__all__ = ["file_fingerprint", "packed_path", "read_packed", "read_raw_text"]


def packed_path(root: Path, card: TaskCard, language: str, split: str) -> Path:
    """Return the path of the file of one card, language and split."""
    return path_of(root, card, PACKED, language, split)


def read_packed(path: Path, card: TaskCard) -> list[Example]:
    """Read all examples of one file, checked against the card.

    Raises:
        DataMissing: the file is missing.
        BadInput: the file is damaged or a line does not fit the card; names file and line.
    """
    return list(read_file(path, card, PACKED, "", "").examples)


def read_raw_text(path: Path) -> list[RawText]:
    """Read lines `{"a": …, "b": … or absent}` of a pretraining corpus; raises as `read_packed` does."""
    texts: list[RawText] = []
    for number, row in json_lines(path):
        try:
            if isinstance(row, Broken):
                raise ValueError(row.why)
            texts.append(RawText(str(number), text_of(row, "a"), text_of(row, "b") if row.get("b") is not None else None))
        except FAULTS as fault:
            raise BadInput(f"{path}:{number}: {why(fault)} (raw text)") from None
    return texts
