"""A heat map of gains: a number in every cell, a mark where its interval leaves zero out, and colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tasksearch.reports.figures.scale import words_of
from tasksearch.reports.text import MARKS
from tasksearch.results.estimate import Interval, finding_of


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """One gain.

    Attributes:
        text: its mark and value.
        side: whether it is above or below zero.
        deep: strength of the colour, percent.
        words: shown when pointed at.
    """

    text: str
    side: Literal["up", "down"]
    deep: float
    words: str


@dataclass(frozen=True, kw_only=True)
class Heat:
    """Rows × columns of cells; None where nothing is known."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[HeatCell | None, ...]], ...]
    kind: str = "heat"


def heat(
    title: str, rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[str, str], Interval], limit: float
) -> Heat:
    """Draw rows × columns, orange below zero, blue above, the page's background at zero.

    Args:
        title: of the figure.
        rows, columns: names.
        cells: (row, column) → gain in points; a cell that is missing stays empty.
        limit: gain at which the colours end, positive; the same for maps that are to be compared.
    """

    def cell(row: str, column: str) -> HeatCell | None:
        gain = cells.get((row, column))
        if gain is None:
            return None
        return HeatCell(
            text=MARKS[finding_of(gain)] + _short(gain.value),
            side="up" if gain.value > 0 else "down",
            deep=round(100 * min(1.0, abs(gain.value) / limit), 1),
            words=words_of(f"{row}, {column}", gain),
        )

    told = tuple((row, tuple(cell(row, column) for column in columns)) for row in rows)
    return Heat(title=title, columns=tuple(columns), rows=told)


def limit_of(gains: Sequence[Interval]) -> float:
    """Return the gain at which the colours end: the largest gain or loss, at least one point."""
    return max(1.0, *(abs(gain.value) for gain in gains)) if gains else 1.0


def _short(value: float) -> str:
    return (f"{value:+.1f}" if abs(value) < 9.95 else f"{value:+.0f}").replace("-", "\u2212")
