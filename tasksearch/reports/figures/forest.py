"""Forest plot: estimates with their intervals beside a line at zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tasksearch.reports.figures.style import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
    WIDTH,
    drawing,
    line,
    marker,
    number,
    shortened,
    text,
    ticks,
    width_of,
)
from tasksearch.results.estimate import Interval, finding_of

_LOOK = {
    "better": (BLUE, "disc"),
    "worse": (ORANGE, "square"),
    "no difference seen": (MUTED, "diamond"),
    "no interval": (MUTED, "cross"),
}
LEGEND = "Disc: above zero; square: below zero; diamond: the interval covers zero; cross: no interval can be given."
_ROW, _FOOT, _TOP, _VALUES = 20.0, 40.0, 6.0, 40.0
_LONGEST = 22


def forest(slug: str, title: str, rows: Sequence[tuple[str, Interval]], *, axis: str, beside: Sequence[Interval] = ()) -> str:
    """Draw an SVG of one row per (name, estimate), first on top, its value on the right.

    Args:
        axis: what the horizontal axis measures, unit included.
        beside: estimates of neighbouring drawings, which share the axis.
    """
    names = [shortened(name, _LONGEST) for name, _ in rows]
    left = max([30.0, *(width_of(name) for name in names)]) + 8
    right, height = WIDTH - _VALUES, _TOP + _ROW * len(rows) + _FOOT
    marks = ticks(*_span([*(gain for _, gain in rows), *beside]), most=5)

    def at(value: float) -> float:
        return left + (value - marks[0]) / (marks[-1] - marks[0]) * (right - left)

    bottom = _TOP + _ROW * len(rows)
    parts = [line(at(mark), _TOP, at(mark), bottom) for mark in marks]
    parts += [text(at(mark), bottom + 14, number(mark), colour=MUTED, anchor="middle", size=10) for mark in marks]
    parts.append(line(at(0), _TOP - 4, at(0), bottom + 3, colour=INK, width=1.2))
    for place, (name, (_, gain)) in enumerate(zip(names, rows, strict=True)):
        parts += _row(name, gain, _TOP + _ROW * (place + 0.5), left, at)
    parts.append(text(WIDTH, bottom + 32, axis, colour=MUTED, anchor="end", size=10))
    return drawing(slug, title, "; ".join(f"{name}: {_words(gain)}" for name, gain in rows), parts, width=WIDTH, height=height)


def _row(name: str, gain: Interval, y: float, left: float, at: Callable[[float], float]) -> list[str]:
    colour, shape = _LOOK[finding_of(gain)]
    seen = colour if shape in ("disc", "square") else INK
    parts = [text(left - 8, y + 4, name, anchor="end")]
    if gain.low is not None and gain.high is not None:
        parts.append(line(at(gain.low), y, at(gain.high), y, colour=colour, width=2.2))
    parts.append(marker(at(gain.value), y, shape, colour))
    parts.append(text(WIDTH, y + 4, f"{gain.value:+.1f}".replace("-", "\u2212"), colour=seen, anchor="end"))
    return parts


def _span(gains: Sequence[Interval]) -> tuple[float, float]:
    ends = [0.0, *(end for gain in gains for end in (gain.value, gain.low, gain.high) if end is not None)]
    low, high = min(ends), max(ends)
    return (low, high) if high - low > 1e-6 else (-1.0, 1.0)


def _words(gain: Interval) -> str:
    interval = "no interval" if gain.low is None or gain.high is None else f"interval {gain.low:+.1f} to {gain.high:+.1f}"
    return f"{gain.value:+.1f}, {interval}"
