"""Forest plot: estimates with their intervals beside a line at zero."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasksearch.reports.figures.scale import Axis, Good, Look, axis_over, look_of, words_of
from tasksearch.results.estimate import Interval


@dataclass(frozen=True, kw_only=True)
class ForestRow:
    """One estimate.

    Attributes:
        at, low, high: places of value and interval, percent of the axis; without an interval all are the value's.
        words: shown when pointed at.
    """

    name: str
    at: float
    low: float
    high: float
    value: str
    look: Look
    words: str


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Rows over one axis; `label` says what it measures, unit included."""

    title: str
    label: str
    axis: Axis
    rows: tuple[ForestRow, ...]
    kind: str = "forest"


def forest(
    title: str, rows: Sequence[tuple[str, Interval]], *, axis: str, beside: Iterable[Interval] = (), good: Good = 1
) -> Forest:
    """Draw one row per (name, estimate), first on top.

    Args:
        title: of the figure.
        rows: names and estimates.
        axis: what the horizontal axis measures, unit included.
        beside: estimates of neighbouring figures, which share the axis.
        good: whether more is better.
    """
    gains = [*(gain for _, gain in rows), *beside]
    scale = axis_over((end for gain in gains for end in (gain.value, gain.low, gain.high) if end is not None), most=7)
    return Forest(title=title, label=axis, axis=scale, rows=tuple(_row(name, gain, scale, good) for name, gain in rows))


def _row(name: str, gain: Interval, scale: Axis, good: Good) -> ForestRow:
    ends = (gain.value if gain.low is None else gain.low, gain.value if gain.high is None else gain.high)
    return ForestRow(
        name=name,
        at=scale.at(gain.value),
        low=scale.at(ends[0]),
        high=scale.at(ends[1]),
        value=f"{gain.value:+.1f}".replace("-", "\u2212"),
        look=look_of(gain, good),
        words=words_of(name, gain),
    )
