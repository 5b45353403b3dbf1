"""`Format`: how a file is divided into records, and a record into the fields of its kind (`tasksearch.tasks.fields`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasksearch.core.text_files import Broken
from tasksearch.tasks.card import TaskCard

__all__ = ["Ask", "Broken", "Format", "LeftOut", "Record"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that the data set's authors themselves exclude (no agreed label, text withheld); such records are counted."""

    why: str


Record = tuple[int, Any]
"""(number, content): number of the line or item from 1, and its content or `Broken`."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is requested from a file.

    Attributes:
        split: the card's name of the split.
        columns: field → column, from the card's source.
    """

    card: TaskCard
    language: str
    split: str
    columns: Mapping[str, str]

    def column(self, field: str) -> str:
        """Return the column of a field; the field's own name if the source names none."""
        return self.columns.get(field, field).replace("{language}", self.language)


@dataclass(frozen=True, kw_only=True)
class Format:
    """One file format.

    Attributes:
        records: path → records; raises DataMissing without the file, BadInput for a file that cannot be read to its end.
        row: record's content → fields of the card's kind; None for a record of another split or language, which is ignored.
            Raises KeyError, TypeError, ValueError, AttributeError or IndexError for a record that does not fit; the message
            says what was found and what was expected.
        beside: path → further files that are read together with it.
        by_split: whether one file holds several splits, which `row` tells apart.
    """

    records: Callable[[Path], Iterator[Record]]
    row: Callable[[Any, Ask], Mapping[str, Any] | LeftOut | None]
    beside: Callable[[Path], tuple[Path, ...]] = field(default=lambda _: ())
    by_split: bool = False
