"""How long a run still takes, from how fast its last trials ended."""

from __future__ import annotations

from collections import deque

_LEAST, _WINDOW = 3, 8


class TimeLeft:
    """Told of every trial that ends. The last eight count: while the store fills, later trials cost less than earlier ones.

    Args:
        total: trials of the study, those that earlier runs finished included.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._ends: deque[float] = deque(maxlen=_WINDOW + 1)
        self._before: int | None = None
        self._ended = 0

    def begin(self, finished: int, now: float) -> None:
        """The run's first trial begins; `finished` were done before."""
        if self._before is None:
            self._before = finished
            self._ends.append(now)

    def end(self, now: float) -> None:
        """A trial ended."""
        self._ended += 1
        self._ends.append(now)

    def seconds_left(self) -> float | None:
        """None while fewer than three trials ended, and where none are left."""
        left = self._total - (self._before or 0) - self._ended
        if self._ended < _LEAST or left <= 0:
            return None
        return left * (self._ends[-1] - self._ends[0]) / (len(self._ends) - 1)


def in_words(seconds: float | None) -> str:
    """`, about 14 min left`; empty for None."""
    if seconds is None:
        return ""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * length:
            return f", about {seconds / length:.{1 if seconds < 10 * length and unit == 'h' else 0}f} {unit} left"
    return f", about {seconds:.0f} s left"
