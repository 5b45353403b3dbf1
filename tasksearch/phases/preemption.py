"""Handling of SIGTERM during training: finish the current step, save a last snapshot, then end the process.

Batch systems and clouds send it some thirty seconds before SIGKILL. A snapshot within a step is impossible: weights and moments
are changed in place and would belong to two different steps. Ray treats the ended process as a lost worker and runs its trial
again, which continues from the snapshot; so does a resume.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_LOG = logging.getLogger(__name__)
EXIT_CODE = 128 + signal.SIGTERM


class Preemption:
    """Whether this process was asked to end, and whether it may end now."""

    def __init__(self) -> None:
        self._inside = False
        self._asked = False

    def listen(self) -> None:
        """Install the SIGTERM handler if this is the main thread; Python allows it in no other."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._hear)

    def came(self) -> bool:
        """Whether SIGTERM was received."""
        return self._asked

    def obey(self) -> None:
        """End the process by SystemExit, which `except Exception` does not catch, if SIGTERM was received."""
        if self._asked:
            _LOG.warning("SIGTERM came: this process ends")
            raise SystemExit(EXIT_CODE)

    @contextmanager
    def training(self) -> Iterator[None]:
        """Context in which a SIGTERM waits for the end of the current step."""
        self._inside = True
        try:
            yield
        finally:
            self._inside = False

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        if not self._inside:
            self.obey()


PREEMPTION = Preemption()
"""The instance for this process."""
