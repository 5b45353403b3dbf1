"""Figure of the search: objective of every trial with the best so far, and seconds of each trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasksearch.core.study import SEARCHED, TrialRecord
from tasksearch.reports.figures.scale import Axis, axis_over

ROLES = {
    "baseline": ("×", "baseline"),
    "short-baseline": ("·", "baseline with short target phases"),
    "design": ("■", "designed"),
    "pair": ("◆", "matched pair"),
    "search": ("●", "sampled"),
    "finalist": ("▲", "finalist, fresh seed"),
    "control": ("+", "control, fresh seed"),
}
"""Role → mark, name. Other roles are not drawn."""
_SIDE = 1.0
"""Room between the first trial and the axis, in trials."""


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A trial's objective; places in percent from the left and from the top."""

    x: float
    y: float
    mark: str
    look: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A trial's seconds; place, width and height in percent."""

    x: float
    width: float
    height: float
    words: str


@dataclass(frozen=True, kw_only=True)
class History:
    """Two panels over the trials' numbers.

    Attributes:
        numbers: axis of the trials' numbers.
        objectives, seconds: vertical axes.
        dots, bars: one per trial that has an objective, or has ended.
        best: corners of the best objective so far, places in percent from the left and from the top.
        legend: mark, name.
    """

    title: str
    numbers: Axis
    objectives: Axis
    seconds: Axis
    dots: tuple[Dot, ...]
    bars: tuple[Bar, ...]
    best: tuple[tuple[float, float], ...]
    legend: tuple[tuple[str, str], ...]
    kind: str = "history"


def history(title: str, records: Sequence[TrialRecord]) -> History:
    """Draw objective and seconds over the trials' numbers."""
    judged = [record for record in records if record.objective is not None and str(record.role) in ROLES]
    ended = [record for record in records if record.ended is not None and record.ended > record.started]
    last = max([1, *(record.number for record in records)])
    numbers = Axis(ticks=(*(tick for tick in axis_over([last]).ticks if tick < last), last + _SIDE))
    objectives = axis_over(record.objective or 0.0 for record in judged)
    seconds = axis_over((_seconds(record) for record in ended), most=3)
    place = {record.number: numbers.at(record.number + _SIDE / 2) for record in records}
    return History(
        title=title,
        numbers=numbers,
        objectives=objectives,
        seconds=seconds,
        dots=tuple(_dot(record, place[record.number], objectives) for record in judged),
        bars=tuple(
            Bar(
                x=round(place[record.number] - 35 / (last + _SIDE), 3),
                width=round(70 / (last + _SIDE), 3),
                height=seconds.at(_seconds(record)),
                words=f"trial {record.number}: {_seconds(record):.1f} s",
            )
            for record in ended
        ),
        best=_corners([(place[number], 100 - objectives.at(value)) for number, value in best_so_far(judged)]),
        legend=tuple(look for role, look in ROLES.items() if any(str(record.role) == role for record in judged)),
    )


def _dot(record: TrialRecord, x: float, scale: Axis) -> Dot:
    value = record.objective or 0.0
    return Dot(
        x=x,
        y=round(100 - scale.at(value), 3),
        mark=ROLES[record.role][0],
        look="good" if value > 0 else "bad",
        words=f"trial {record.number}, {ROLES[record.role][1]}: {value:+.2f}, {record.plan.schedule}",
    )


def _corners(steps: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    corners: list[tuple[float, float]] = []
    for x, y in steps:
        corners += [(x, corners[-1][1])] if corners else []
        corners.append((x, round(y, 3)))
    return tuple(corners)


def best_so_far(records: Sequence[TrialRecord]) -> list[tuple[int, float]]:
    """Return (trial, best objective up to it) over the search's trials; finalists repeat a mix and are left out."""
    best: list[tuple[int, float]] = []
    for record in sorted(records, key=lambda r: r.number):
        if record.role in SEARCHED and record.objective is not None:
            best.append((record.number, max(record.objective, best[-1][1] if best else record.objective)))
    return best


def _seconds(record: TrialRecord) -> float:
    return (record.ended or record.started) - record.started
