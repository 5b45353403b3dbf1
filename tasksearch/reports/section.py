"""`Section`: one part of the report, as values. The template renders them as HTML; no text here is markup.

Each module under `sections/` has a function `ReportData -> Section | None`, which is listed in `sections/__init__.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasksearch.reports.figures.forest import Forest
from tasksearch.reports.figures.heat import Heat
from tasksearch.reports.figures.history import History
from tasksearch.reports.table import ReportTable, text_columns


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A drawing whose content is described in words too.

    Attributes:
        drawing: as a value, which `templates/figures.html` draws.
        caption: what is drawn, over how many examples and seeds.
    """

    drawing: Forest | Heat | History
    caption: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the report.

    Attributes:
        slug: anchor, lower-case letters and hyphens, unique in the report.
        title: its heading.
        lead: paragraphs before the figures.
        alerts: sentences that are set apart as warnings.
        figures, tables: in their order; a figure stands before the tables.
        notes: small print below, after the tables' own notes: n, seeds, how it was computed.
        code: a command or file, set in a fixed width.
    """

    slug: str
    title: str
    lead: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[ReportTable, ...] = ()
    notes: tuple[str, ...] = ()
    code: str = ""

    @property
    def small_print(self) -> tuple[str, ...]:
        """Notes of the tables, then the section's own."""
        return (*(note for table in self.tables for note in table.notes), *self.notes)


def legend_table(table: ReportTable) -> ReportTable:
    """Return the legend of a table as a table of its own: a terminal prints it below the rows."""
    return ReportTable(title="The mixes", columns=text_columns("", "schedule"), rows=table.legend)
