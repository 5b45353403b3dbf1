"""`ReportTable`: a table as a plain value. `terminal.py` renders it with Rich, `templates/report.html` as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.table import Table
    from rich.text import Text


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        name: heading.
        short: heading in a terminal of 80 columns; empty: `name`.
        number: aligned to the right and never wrapped in a terminal. In a page each cell that reads like a number is.
        page_only: left out in a terminal.
        wrap: whether a cell may be broken into lines in a terminal.
        fill: takes the room that the other columns leave.
        min_width: in characters, in a terminal; 0: no bound.
        max_width: likewise, in a terminal narrower than `terminal.WIDE`.
    """

    name: str
    short: str = ""
    number: bool = False
    page_only: bool = False
    wrap: bool = False
    fill: bool = False
    min_width: int = 0
    max_width: int = 0


@dataclass(frozen=True, kw_only=True)
class ReportTable:
    """Rows of text under a head, with the notes needed to read them.

    Attributes:
        rows: one cell per column.
        ends: indices of the rows that end a block; a rule or blank line follows them in a terminal.
        legend: (letter, mix) pairs: the meaning of the letters in the rows.
        notes: small print below.
        warning: the suite's sentence. A page shows it once for all tables.
        folded: shown on request in a page: the table of a figure's numbers, or a long list.
        links: cell of the first column → address that it leads to in a page.
        stub: number of leading columns that are repeated where a terminal is too narrow for the others, which then stand in
            several blocks below one another; 0: never.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    ends: frozenset[int] = frozenset()
    legend: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    warning: str = ""
    folded: bool = False
    links: Mapping[str, str] = field(default_factory=dict)
    stub: int = 0

    @property
    def head(self) -> tuple[str, ...]:
        """Headings of all columns."""
        return tuple(column.name for column in self.columns)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table | Text]:
        """Render the table as `rich.print` shows it."""
        from tasksearch.reports.terminal import printed

        yield from printed(self, options.max_width)


def text_columns(*names: str) -> tuple[Column, ...]:
    """Return columns of a table that only a page shows."""
    return tuple(Column(name=name) for name in names)


def block_ends(kinds: Sequence[object]) -> frozenset[int]:
    """Return the indices of the rows whose kind differs from the next row's."""
    return frozenset(place for place in range(len(kinds) - 1) if kinds[place] != kinds[place + 1])
