"""Figure of the search: objective of every trial with the best so far, and seconds of each trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tasksearch.core.study import SEARCHED, TrialRecord
from tasksearch.reports.figures.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    WIDTH,
    box,
    drawing,
    line,
    marker,
    number,
    path,
    text,
    ticks,
    width_of,
)

ROLES = {
    "baseline": (MUTED, "cross", "baseline"),
    "design": (GREEN, "square", "designed"),
    "pair": (BLUE, "diamond", "matched pair"),
    "search": (BLUE, "disc", "sampled"),
    "finalist": (ORANGE, "triangle", "finalist, fresh seed"),
    "control": (INK, "plus", "control, fresh seed"),
}
"""Role → colour, shape, name. Other roles are not drawn."""
_LEFT, _TOP, _UPPER, _LOWER, _BETWEEN, _FOOT = 44.0, 40.0, 170.0, 70.0, 16.0, 34.0
Scale = Callable[[float], float]


def history(slug: str, title: str, records: Sequence[TrialRecord]) -> str:
    """Draw two panels over the trials' numbers: objective and seconds."""
    judged = [record for record in records if record.objective is not None and str(record.role) in ROLES]
    last = max([1, *(record.number for record in records)])

    def x(place: float) -> float:
        return _LEFT + 6 + place / last * (WIDTH - _LEFT - 14)

    steps = best_so_far(judged)
    low, high = _TOP + _UPPER, _TOP + _UPPER + _BETWEEN + _LOWER
    parts = [*_legend(judged, best=bool(steps)), *_objectives(judged, steps, x), *_costs(records, x, low + _BETWEEN, high)]
    parts += [text(x(n), high + 14, number(n), colour=MUTED, anchor="middle", size=10) for n in ticks(0, last, 6) if n <= last]
    parts.append(text(WIDTH - 8, high + 29, "trial", colour=MUTED, anchor="end", size=10))
    best = f"best objective of the search {steps[-1][1]:+.2f}" if steps else "no objective yet"
    words = f"{len(records)} trials, {len(judged)} with an objective; {best}"
    return drawing(slug, title, words, parts, width=WIDTH, height=high + _FOOT)


def _objectives(judged: Sequence[TrialRecord], steps: Sequence[tuple[int, float]], x: Scale) -> list[str]:
    values = [record.objective or 0.0 for record in judged]
    marks = ticks(min([0.0, *values]), max([0.5, *values]), 6)

    def y(value: float) -> float:
        return _TOP + _UPPER * (marks[-1] - value) / (marks[-1] - marks[0])

    parts = _axis(marks, y, "objective, baseline deviations")
    parts.append(line(_LEFT, y(0), WIDTH - 4, y(0), colour=INK))
    small = 2.2 if len(judged) > 150 else 3.2
    for record in judged:
        colour, shape, _ = ROLES[record.role]
        parts.append(marker(x(record.number), y(record.objective or 0.0), shape, colour, small))
    corners: list[tuple[float, float]] = []
    for place, value in steps:
        corners += [(x(place), corners[-1][1])] if corners else []
        corners.append((x(place), y(value)))
    return [*parts, path(corners)] if corners else parts


def _costs(records: Sequence[TrialRecord], x: Scale, top: float, bottom: float) -> list[str]:
    ended = [record for record in records if record.ended is not None]
    marks = ticks(0.0, max([1.0, *(_seconds(record) for record in ended)]), 3)

    def y(value: float) -> float:
        return bottom - (bottom - top) * value / marks[-1]

    wide = max(0.6, 0.7 * (x(1) - x(0)))
    bars = [
        box(x(r.number) - wide / 2, y(_seconds(r)), wide, bottom - y(_seconds(r)), colour=MUTED)
        for r in ended
        if _seconds(r) > 0
    ]
    return [*_axis(marks, y, "seconds"), *bars]


def _axis(marks: Sequence[float], y: Scale, words: str) -> list[str]:
    parts = [line(_LEFT, y(mark), WIDTH - 4, y(mark)) for mark in marks]
    parts += [text(_LEFT - 5, y(mark) + 3.5, number(mark), colour=MUTED, anchor="end", size=10) for mark in marks]
    middle = (y(marks[0]) + y(marks[-1])) / 2
    return [*parts, text(11, middle, words, anchor="middle", size=10, turn=-90)]


def _legend(judged: Sequence[TrialRecord], *, best: bool) -> list[str]:
    there = {str(record.role) for record in judged}
    parts, x, y = list[str](), _LEFT, 10.0
    for colour, shape, word in (look for role, look in ROLES.items() if role in there):
        if x + 14 + width_of(word, 10) > WIDTH:
            x, y = _LEFT, y + 15
        parts += [marker(x + 4, y, shape, colour, 3.2), text(x + 12, y + 3.5, word, size=10)]
        x += 22 + width_of(word, 10)
    if best:
        x, y = (_LEFT, y + 15) if x + 90 > WIDTH else (x, y)
        parts += [line(x, y, x + 14, y, colour=INK, width=1.2), text(x + 18, y + 3.5, "best so far", size=10)]
    return parts


def best_so_far(records: Sequence[TrialRecord]) -> list[tuple[int, float]]:
    """Return (trial, best objective up to it) over the search's trials; finalists repeat a mix and are left out."""
    best: list[tuple[int, float]] = []
    for record in sorted(records, key=lambda r: r.number):
        if record.role in SEARCHED and record.objective is not None:
            best.append((record.number, max(record.objective, best[-1][1] if best else record.objective)))
    return best


def _seconds(record: TrialRecord) -> float:
    return (record.ended or record.started) - record.started
