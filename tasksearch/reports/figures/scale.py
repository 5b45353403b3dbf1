"""Axes of the figures: round ticks, places in percent, and how a finding looks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tasksearch.results.estimate import Finding, Interval, finding_of, gain_text

Look = Literal["good", "bad", "clear", "open", "none"]
"""CSS class: blue; orange; clear of zero, but neither good nor bad; open; without an interval."""
Good = Literal[1, -1, 0]
"""Whether more is better (1) or worse (-1), or neither (0), as where two schedules are compared."""
LEGEND = "Blue: points gained; orange: points lost; grey: the interval covers zero; a cross: no interval can be given."


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A linear axis from the first to the last of its ticks."""

    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Return the place of a value, percent of the axis."""
        low, high = self.ticks[0], self.ticks[-1]
        return round(100 * (value - low) / (high - low), 3)

    @property
    def marks(self) -> tuple[tuple[float, str], ...]:
        """Place and label of every tick, with a real minus sign."""
        return tuple((self.at(tick), f"{tick:g}".replace("-", "\u2212") if abs(tick) > 1e-9 else "0") for tick in self.ticks)


def axis_over(values: Iterable[float], most: int = 6) -> Axis:
    """Return an axis of about `most` round ticks over zero and the values."""
    told = [0.0, *values]
    low, high = (min(told), max(told)) if max(told) - min(told) > 1e-6 else (-1.0, 1.0)
    rough = (high - low) / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Axis(ticks=tuple(place * step for place in range(first, last + 1)))


def look_of(gain: Interval, good: Good = 1) -> Look:
    """Return how an estimate looks."""
    looks: dict[Finding, Look] = {"better": "good", "worse": "bad", "no difference seen": "open", "no interval": "none"}
    if good == -1:
        looks |= {"better": "bad", "worse": "good"}
    if good == 0:
        looks |= {"better": "clear", "worse": "clear"}
    return looks[finding_of(gain)]


def words_of(name: str, gain: Interval) -> str:
    """Return what a mark shows when pointed at."""
    more = [f"{value} {what}" for what in ("examples", "seeds") if (value := getattr(gain, what, None)) is not None]
    return f"{name}: {gain_text(gain)} points ({', '.join([finding_of(gain), *more])})"
