"""Limits of one run: hours of wall time, and GPU-hours of its trials."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one call of the driver, in seconds of wall time and in GPU-seconds of its trials; None: no limit."""

    seconds: float | None = None
    gpu_seconds: float | None = None


class Meter:
    """Measures a run against its limits. To be called at every turn of Ray's loop."""

    def __init__(self, limits: Limits, gpus_per_trial: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._gpus, self._clock = limits, gpus_per_trial, clock
        self._began = self._last = clock()
        self._gpu_seconds = 0.0

    def reached(self, running: int) -> str | None:
        """Return the limit that is reached, as a sentence; None if none is.

        Args:
            running: number of trials that ran since the last call.
        """
        now = self._clock()
        self._gpu_seconds += running * self._gpus * (now - self._last)
        self._last = now
        for name, spent, most in (
            ("hours", now - self._began, self._limits.seconds),
            ("GPU-hours", self._gpu_seconds, self._limits.gpu_seconds),
        ):
            if most is not None and spent >= most:
                return f"the limit of {most / 3600:.3g} {name} is reached"
        return None
