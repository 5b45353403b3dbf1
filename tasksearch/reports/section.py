"""`Section`: one part of the report, as values. The template turns them into HTML; no text here is markup.

A section is a function `ReportData -> Section | None` in a module of its own under `sections/`, and a line in the list there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A drawing that can be read without seeing it.

    Attributes:
        svg: one `<svg>` element, as `figures.style.to_svg` makes it; the only markup in a report that is not escaped.
        caption: what is drawn, over how many examples and seeds.
    """

    svg: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class ReportTable:
    """Rows of text under a head. A cell that reads like a number stands right.

    Attributes:
        folded: shown on request, as the twin of a figure or a long list.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the report.

    Attributes:
        slug: anchor, lower-case letters and hyphens, unique in the report.
        title: its heading.
        lead: paragraphs before the figures.
        alerts: sentences that are set apart as warnings.
        figures, tables: in their order; a figure stands before the tables.
        notes: small print below: n, seeds, how it was computed.
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
