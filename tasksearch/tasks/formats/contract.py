"""`Format`: how a file falls into records, and a record into the fields of its kind (`tasksearch.tasks.fields`)."""

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
    """A record that the data set's authors leave out themselves (no agreed label, text withheld): counted, never silent."""

    why: str


Record = tuple[int, Any]
"""(number, content): the line or item as a person counts it, from 1, and what stands there, or `Broken`."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is wanted of a file.

    Attributes:
        split: as the card calls it.
        columns: field → column, as the card's source says.
    """

    card: TaskCard
    language: str
    split: str
    columns: Mapping[str, str]

    def column(self, field: str) -> str:
        """Column of a field: the field's own name where the source names no other."""
        return self.columns.get(field, field).replace("{language}", self.language)


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format.

    Attributes:
        records: path → records; raises DataMissing without the file, BadInput for a file that cannot be opened to its end.
        row: record's content → fields of the card's kind; None for a record of another split or language, which is passed
            over. Raises KeyError, TypeError, ValueError, AttributeError or IndexError for a record that does not fit; the
            message says what was found and what was expected.
    """

    records: Callable[[Path], Iterator[Record]]
    row: Callable[[Any, Ask], Mapping[str, Any] | LeftOut | None]
    beside: Callable[[Path], tuple[Path, ...]] = field(default=lambda _: ())
