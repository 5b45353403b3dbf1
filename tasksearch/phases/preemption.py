"""SIGTERM in a process that trains: a last snapshot at the end of the step under way, then the process ends.

Batch systems and clouds send it some thirty seconds before SIGKILL. A step cannot be saved half way: what it changes in place
(weights, moments) would be of two steps. Ray takes the ended process for a lost worker and runs its trial again, which goes on
from the snapshot; so does a resume.
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
    """Whether this process was asked to end."""

    def __init__(self) -> None:
        self._inside = False
        self._asked = False

    def listen(self) -> None:
        """Takes SIGTERM over, in the main thread; elsewhere Python lets nobody."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._hear)

    def came(self) -> bool:
        """Whether SIGTERM came while training."""
        return self._asked

    def obey(self) -> None:
        """Ends the process where it was asked to, by SystemExit: `except Exception` does not keep it."""
        if self._asked:
            _LOG.warning("SIGTERM came: this process ends")
            raise SystemExit(EXIT_CODE)

    @contextmanager
    def training(self) -> Iterator[None]:
        """While this lasts a SIGTERM waits for the end of the step."""
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
"""This process's."""
