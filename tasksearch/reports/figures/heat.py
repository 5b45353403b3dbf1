"""A heat map of gains: a number in every cell, a dot where its interval leaves zero out, and colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasksearch.reports.figures.style import BLUE, ORANGE, box, drawing, shortened, text, width_of
from tasksearch.results.estimate import Interval, finding_of

_CELL, _ROW, _GAP = 33.0, 22.0, 1.0
_LONGEST = 22


def heat(
    slug: str, title: str, rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[str, str], Interval], limit: float
) -> str:
    """Draw an SVG of rows × columns, orange below zero, blue above, the page's background at zero.

    Args:
        cells: (row, column) → gain in points; a cell that is missing stays empty.
        limit: gain at which the colours end, positive; the same for maps that are to be compared.
    """
    heads, names = [shortened(name, _LONGEST) for name in columns], [shortened(name, _LONGEST) for name in rows]
    left = max([20.0, *(width_of(name) for name in names)]) + 6
    top = max([20.0, *(width_of(name) for name in heads)]) * 0.95 + 6
    parts = [text(left - 6, top + _ROW * (y + 0.5) + 4, name, anchor="end") for y, name in enumerate(names)]
    parts += [text(left + _CELL * (x + 0.5) + 4, top - 6, name, turn=-90) for x, name in enumerate(heads)]
    across, down = {name: x for x, name in enumerate(columns)}, {name: y for y, name in enumerate(rows)}
    for (row, column), gain in cells.items():
        x, y = left + _CELL * across[column], top + _ROW * down[row]
        deep = min(1.0, abs(gain.value) / limit)
        shade = f"calc(var(--heat) * {deep:.2f})"  # numbers stay legible on the deepest shade, in light and in dark mode
        colour = BLUE if gain.value > 0 else ORANGE
        parts.append(box(x, y, _CELL - _GAP, _ROW - _GAP, colour=colour, opacity=shade, round_by=2.5))
        dot = "•" if finding_of(gain) in ("better", "worse") else ""
        parts.append(text(x + _CELL / 2, y + _ROW / 2 + 3.5, _short(gain.value) + dot, anchor="middle", size=9.5))
    width, height = left + _CELL * len(columns) + 2, top + _ROW * len(rows) + 2
    return drawing(slug, title, _words(rows, columns, cells), parts, width=width, height=height)


def limit_of(gains: Sequence[Interval]) -> float:
    """Return the gain at which the colours end: the largest gain or loss, at least one point."""
    return max(1.0, *(abs(gain.value) for gain in gains)) if gains else 1.0


def _short(value: float) -> str:
    return (f"{value:+.1f}" if abs(value) < 9.95 else f"{value:+.0f}").replace("-", "\u2212")


def _words(rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[str, str], Interval]) -> str:
    known = [(gain.value, row, column) for (row, column), gain in cells.items()]
    if not known:
        return "no cell is known"
    best, worst = max(known), min(known)
    return (
        f"{len(rows)} rows, {len(columns)} columns; from {worst[0]:+.1f} ({worst[1]}, {worst[2]}) "
        f"to {best[0]:+.1f} ({best[1]}, {best[2]}); every number is in the table below"
    )
