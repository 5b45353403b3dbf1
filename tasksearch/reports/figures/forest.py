"""Estimates with their intervals, one under the other, beside a line at zero."""

from __future__ import annotations

from collections.abc import Sequence

from tasksearch.core.verdict import Estimate, finding_of
from tasksearch.reports.figures.style import BLUE, INK, LINE, MUTED, ORANGE, canvas, to_svg

_LOOK = {"better": (BLUE, "o"), "worse": (ORANGE, "s"), "no difference seen": (MUTED, "D"), "no interval": (MUTED, "x")}
LEGEND = "Disc: above zero; square: below zero; diamond: the interval covers zero; cross: no interval can be given."


def forest(slug: str, title: str, rows: Sequence[tuple[str, Estimate]], *, axis: str) -> str:
    """An SVG of one row per (name, estimate), first on top.

    Args:
        axis: what the horizontal axis measures, unit included.
    """
    with canvas(0.75 + 0.24 * len(rows)) as (figure, axes):
        for place, (_, gain) in enumerate(rows):
            colour, marker = _LOOK[finding_of(gain)]
            if gain.low is not None and gain.high is not None:
                axes.plot([gain.low, gain.high], [place, place], color=colour, linewidth=1.8, solid_capstyle="butt")
            axes.plot(gain.value, place, marker=marker, color=colour, markersize=5, linestyle="none")
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=LINE)
        axes.set_axisbelow(True)
        axes.set_xlabel(axis)
        return to_svg(figure, slug, title, "; ".join(f"{name}: {_words(gain)}" for name, gain in rows))


def _words(gain: Estimate) -> str:
    interval = "no interval" if gain.low is None or gain.high is None else f"interval {gain.low:+.1f} to {gain.high:+.1f}"
    return f"{gain.value:+.1f}, {interval}"
