"""`to_rich`: a `ReportTable` for a terminal. Legible from 80 columns, and as plain text in a pipe."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from tasksearch.reports.table import Column, ReportTable
from tasksearch.reports.text import NOT_BETTER

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


def to_rich(table: ReportTable, *, wide: bool = False) -> Table:
    """Render the columns that a terminal has room for, with legend, warning and notes below.

    Args:
        table: any table.
        wide: whether the terminal has at least `WIDE` columns, so that no cell has to be broken into lines.
    """
    shown = Table(
        title=table.title,
        title_justify="left",
        caption=_caption(table),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        # The box has a blank of its own between columns: with padding beside it 80 columns are too few for the verdict.
        padding=0,
    )
    columns = [(place, column) for place, column in enumerate(table.columns) if not column.page_only]
    for _, column in columns:
        _add_column(shown, column, wide=wide)
    for number, row in enumerate(table.rows):
        shown.add_row(*(_cell(row[place]) for place, _ in columns), end_section=number in table.ends)
    return shown


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
    return Text(text, style="dim" if text.startswith(NOT_BETTER) else _STYLES.get(text, ""))


def _caption(table: ReportTable) -> Text:
    caption = Text()
    for letter, mix in table.legend:
        caption.append(f"{letter} = {mix}\n", style="not dim")
    if table.warning:
        caption.append(table.warning + "\n", style="bold not dim")
    caption.append("\n".join(table.notes), style="dim")
    return caption
