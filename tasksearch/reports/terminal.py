"""`to_rich`: a `ReportTable` for a terminal. Legible from 80 columns, and as plain text in a pipe."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from rich import box
from rich.table import Table
from rich.text import Text

from tasksearch.reports.table import Column, ReportTable
from tasksearch.reports.text import MARKS, NOT_BETTER

WIDE = 92
"""Columns from which no column has to be kept narrow."""
_STYLES = {
    "better": "green",
    "worse": "red",
    "no difference seen": "dim",
    "no interval": "yellow",
    "failed": "red",
    "stopped": "yellow",
    "running": "yellow",
    "proposed": "dim",
}
_FINDINGS = {mark: finding for finding, mark in MARKS.items() if mark}


def to_rich(table: ReportTable, *, wide: bool = False) -> Table:
    """Render the columns that a terminal has room for, with legend, warning and notes below.

    Args:
        table: any table.
        wide: whether the terminal has at least `WIDE` columns, so that no cell has to be broken into lines.
    """
    shown = Table(
        title=table.title or None,
        title_justify="left",
        caption=_caption(table) or None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        # The box has a blank of its own between columns: with padding beside it 80 columns are too few for the verdict.
        padding=0,
    )
    columns = _seen(table)
    for _, column in columns:
        _add_column(shown, column, wide=wide)
    for number, row in enumerate(table.rows):
        shown.add_row(*(_cell(row[place]) for place, _ in columns), end_section=number in table.ends)
    return shown


def printed(table: ReportTable, width: int) -> Iterator[Table | Text]:
    """Render title, rows and notes for a terminal of that width; title and notes take the whole of it, not that of the rows."""
    yield Text(table.title, style="italic")
    for block in _blocks(table, width):
        yield to_rich(dataclasses.replace(block, title="", legend=(), notes=(), warning=""), wide=width >= WIDE)
    if caption := _caption(table):
        yield caption


def _blocks(table: ReportTable, width: int) -> Iterator[ReportTable]:
    """Split the columns into tables that fit the width, each with the first `stub` columns."""
    if not table.stub:
        yield table
        return
    wide = [max(map(len, (column.short or column.name, *(row[i] for row in table.rows)))) for i, column in _seen(table)]
    places = [place for place, _ in _seen(table)]
    left, begin = places[: table.stub], table.stub
    while begin < len(places):
        end, room = begin + 1, width - sum(w + 1 for w in wide[: table.stub]) - wide[begin]
        while end < len(places) and room >= wide[end] + 1:
            room, end = room - wide[end] - 1, end + 1
        kept = [*left, *places[begin:end]]
        rows = tuple(tuple(row[place] for place in kept) for row in table.rows)
        yield dataclasses.replace(table, columns=tuple(table.columns[place] for place in kept), rows=rows)
        begin = end


def _seen(table: ReportTable) -> list[tuple[int, Column]]:
    return [(place, column) for place, column in enumerate(table.columns) if not column.page_only]


def _add_column(shown: Table, column: Column, *, wide: bool) -> None:
    shown.add_column(
        column.short or column.name,
        justify="right" if column.number else "left",
        overflow="fold",
        no_wrap=not (column.wrap or column.fill or column.max_width),
        ratio=1 if column.fill else None,
        min_width=column.min_width or None,
        max_width=None if wide else column.max_width or None,
    )


def _cell(text: str) -> Text:
    style = "dim" if text.startswith(NOT_BETTER) else _STYLES.get(text, "")
    return Text(text, style=style or _STYLES.get(_FINDINGS.get(text[:1], ""), ""))


def _caption(table: ReportTable) -> Text:
    caption = Text()
    for letter, mix in table.legend:
        caption.append(f"{letter} = {mix}\n", style="not dim")
    if table.warning:
        caption.append(table.warning + "\n", style="bold not dim")
    caption.append("\n".join(table.notes), style="dim")
    caption.rstrip()
    return caption
