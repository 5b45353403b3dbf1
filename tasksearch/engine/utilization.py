"""`SlotClock`: measures how much of the slots' time was spent running parts of trials."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Utilization:
    """Use of the slots during one call of the driver.

    Attributes:
        slots: number of trials that run at once.
        pauses: how often a trial gave up its slot to wait for a segment that another trial was training.
        resumes: how often a paused trial got a slot back.
        seconds: slot-seconds from the first report of a trial to the end of the last one.
        idle_seconds: slot-seconds in which no part of a trial ran: start-up, pauses, resumes, and slots with nothing to do.
        resume_seconds: the idle slot-seconds between giving a slot to a paused trial and the start of its next part.
    """

    slots: int
    pauses: int
    resumes: int
    seconds: float
    idle_seconds: float
    resume_seconds: float


class SlotClock:
    """Measures the parts of trials as the driver sees them: from its decision to go on until the next report."""

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
        """Note that a trial reported or ended: the part that it ran is over."""
        self._last = self._clock()
        self._began = self._last if self._began is None else self._began
        self._busy += self._last - self._parts.pop(trial, self._last)

    def go(self, trial: str) -> None:
        """Note that a trial begins its next part."""
        now = self._parts[trial] = self._clock()
        self._resumed += now - self._resuming.pop(trial, now)

    def pause(self, trial: str) -> None:
        """Note that a trial gave up its slot."""
        self._paused[trial] = self._clock()

    def resume(self, trial: str) -> float:
        """Note that a paused trial got a slot back; return the seconds it waited."""
        now = self._resuming[trial] = self._clock()
        return now - self._paused.pop(trial, now)

    def use(self, pauses: int, resumes: int) -> Utilization:
        """Return the utilization so far."""
        seconds = self._slots * (self._last - self._began) if self._began is not None else 0.0
        return Utilization(
            slots=self._slots,
            pauses=pauses,
            resumes=resumes,
            seconds=seconds,
            idle_seconds=max(0.0, seconds - self._busy),
            resume_seconds=self._resumed,
        )
