"""Estimated time left in a run, from how fast its last trials ended."""

from __future__ import annotations

from collections import deque

_LEAST, _WINDOW = 3, 8


class TimeLeft:
    """Estimates the time left from the last eight trials: as the store fills, later trials cost less than earlier ones.

    Args:
        total: number of trials of the study, including those that earlier runs finished.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._ends: deque[float] = deque(maxlen=_WINDOW + 1)
        self._before: int | None = None
        self._ended = 0

    def begin(self, finished: int, now: float) -> None:
        """Note that the run's first trial begins; `finished` trials were done before."""
        if self._before is None:
            self._before = finished
            self._ends.append(now)

    def end(self, now: float) -> None:
        """Note that a trial ended."""
        self._ended += 1
        self._ends.append(now)

    def seconds_left(self) -> float | None:
        """Return the seconds left; None while fewer than three trials have ended, or if no trial is left."""
        left = self._total - (self._before or 0) - self._ended
        if self._ended < _LEAST or left <= 0:
            return None
        return left * (self._ends[-1] - self._ends[0]) / (len(self._ends) - 1)


def in_words(seconds: float | None) -> str:
    """Format as `, about 14 min left`; empty for None."""
    if seconds is None:
        return ""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * length:
            return f", about {seconds / length:.{1 if seconds < 10 * length and unit == 'h' else 0}f} {unit} left"
    return f", about {seconds:.0f} s left"
