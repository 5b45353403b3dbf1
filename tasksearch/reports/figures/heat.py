"""A heat map of gains: a number in every cell, a dot where its interval leaves zero out, and colour besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasksearch.core.verdict import Estimate, finding_of
from tasksearch.reports.figures.style import canvas, to_svg

_CELL, _ROW, _MAP = 0.34, 0.26, "RdBu"


def heat(
    slug: str, title: str, rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[str, str], Estimate], limit: float
) -> str:
    """An SVG of rows × columns, red below zero, blue above, white at zero.

    Args:
        cells: (row, column) → gain in points; a cell that is missing stays empty.
        limit: gain at which the colours end, positive; the same for maps that are to be compared.
    """
    from matplotlib import colormaps
    from matplotlib.colors import Normalize
    from matplotlib.patches import Rectangle

    colours, scale = colormaps[_MAP], Normalize(-limit, limit)
    longest = max((len(name) for name in rows), default=1)
    width = 0.3 + 0.07 * longest + _CELL * len(columns)
    with canvas(0.25 + 0.065 * max(map(len, columns), default=1) + _ROW * len(rows), width=max(2.0, width)) as (figure, axes):
        for (row, column), gain in cells.items():
            x, y = columns.index(column), rows.index(row)
            shade = colours(scale(gain.value))
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=shade, edgecolor="white", linewidth=0.5))
            text = _short(gain.value) + ("•" if finding_of(gain) in ("better", "worse") else "")
            axes.text(x, y, text, ha="center", va="center", fontsize=7, color=_ink_on(shade))
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xticks(range(len(columns)), columns, rotation=90)
        axes.set_yticks(range(len(rows)), rows)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return to_svg(figure, slug, title, _words(rows, columns, cells))


def limit_of(gains: Sequence[Estimate]) -> float:
    """Where the colours end: the largest gain or loss, at least one point."""
    return max(1.0, *(abs(gain.value) for gain in gains)) if gains else 1.0


def _short(value: float) -> str:
    return f"{value:+.1f}" if abs(value) < 9.95 else f"{value:+.0f}"


def _ink_on(shade: tuple[float, float, float, float]) -> str:
    red, green, blue, _ = shade
    return "#111111" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "#ffffff"


def _words(rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[str, str], Estimate]) -> str:
    known = [(gain.value, row, column) for (row, column), gain in cells.items()]
    if not known:
        return "no cell is known"
    best, worst = max(known), min(known)
    return (
        f"{len(rows)} rows, {len(columns)} columns; from {worst[0]:+.1f} ({worst[1]}, {worst[2]}) "
        f"to {best[0]:+.1f} ({best[1]}, {best[2]}); every number stands in the table below"
    )
