"""`SlotClock`: how much of the slots' time went into parts of trials."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Utilization:
    """What the slots of one call of the driver did.

    Attributes:
        slots: trials at once.
        pauses: trials that gave a slot up to wait for a segment in flight.
        resumes: of those, how many got a slot again.
        seconds: slot-seconds from the first report of a trial to the end of the last.
        idle_seconds: of those, in which no part of a trial ran: start-up, pauses, resumes, and slots with nothing to do.
        resume_seconds: of the idle ones, between giving a slot to a paused trial and its next part.
    """

    slots: int
    pauses: int
    resumes: int
    seconds: float
    idle_seconds: float
    resume_seconds: float


class SlotClock:
    """Measures parts as the driver sees them: from its word to go on to the next report."""

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._slots, self._clock = slots, clock
        self._began: float | None = None
        self._last = 0.0
        self._busy = 0.0
        self._parts: dict[str, float] = {}
        self._paused: dict[str, float] = {}
        self._resuming: dict[str, float] = {}
        self._resumed = 0.0

    def report(self, trial: str) -> None:
        """A trial reports, or ended: the part it ran is over."""
        self._last = self._clock()
        self._began = self._last if self._began is None else self._began
        self._busy += self._last - self._parts.pop(trial, self._last)

    def go(self, trial: str) -> None:
        """A trial begins its next part."""
        now = self._parts[trial] = self._clock()
        self._resumed += now - self._resuming.pop(trial, now)

    def pause(self, trial: str) -> None:
        """A trial gave up its slot."""
        self._paused[trial] = self._clock()

    def resume(self, trial: str) -> float:
        """It gets one again; returns the seconds it waited."""
        now = self._resuming[trial] = self._clock()
        return now - self._paused.pop(trial, now)

    def use(self, pauses: int, resumes: int) -> Utilization:
        """The sums so far."""
        seconds = self._slots * (self._last - self._began) if self._began is not None else 0.0
        return Utilization(
            slots=self._slots,
            pauses=pauses,
            resumes=resumes,
            seconds=seconds,
            idle_seconds=max(0.0, seconds - self._busy),
            resume_seconds=self._resumed,
        )
