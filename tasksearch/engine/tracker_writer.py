"""One thread that writes to the tracker, so that a tracking server that is slow or does not answer never delays a trial."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.engine.outbox import Outbox, Patience
from tasksearch.tracking.port import Tracker

_LOG = logging.getLogger(__name__)


class TrackerWriter:
    """Makes a tracker's calls through an outbox. The server must answer at the start; later its silence is waited out.

    Args:
        artefacts_of: number of a trial → its files for the tracker.
    """

    def __init__(
        self,
        tracker: Tracker,
        patience: Patience | None = None,
        artefacts_of: Callable[[int], Mapping[str, Path]] = lambda number: {},
    ) -> None:
        self._tracker, self._artefacts_of = tracker, artefacts_of
        self.outbox = Outbox("MLflow", patience)
        self._open = threading.Event()
        self.seconds: dict[int, float] = {}

    @property
    def fault(self) -> Exception | None:
        """The exception of the call that failed, after which the rest are dropped; None so far."""
        return self.outbox.fault

    def start(self, config: StudyConfig, tags: Mapping[str, str]) -> None:
        """Starts the thread, with opening the study as its first job."""
        self.outbox.put(lambda: self._open_study(config, tags), once=True)
        self.outbox.put(self._open.set)
        self.outbox.start()

    def wait_until_open(self) -> None:
        """Return once the study is open.

        Raises:
            TasksearchError: raised by the tracker instead of opening it.
        """
        while not self._open.wait(0.05):
            if self.fault is not None:
                raise self.fault

    def write(self, record: TrialRecord) -> None:
        """Enqueue the record of one trial."""
        self.outbox.put(lambda: self._timed(record))

    def settle(self) -> None:
        """Return once everything enqueued so far was written, or dropped after a fault."""
        done = threading.Event()
        self.outbox.put(done.set)
        while not done.wait(0.01) and self.fault is None:
            pass

    def close(self, *, wait: bool = True, tell: Callable[[str], None] | None = None) -> None:
        """Close the outbox; arguments as for `Outbox.close`."""
        self.outbox.close(wait=wait, tell=tell)

    def _open_study(self, config: StudyConfig, tags: Mapping[str, str]) -> None:
        for text in self._tracker.open_study(config, tags):
            self.outbox.say(text)

    def _timed(self, record: TrialRecord) -> None:
        started = time.perf_counter()
        self._tracker.write_trial(record, self._artefacts_of(record.number))
        self.seconds[record.number] = time.perf_counter() - started
        _LOG.debug("MLflow has trial %d after %.2f s", record.number, self.seconds[record.number])
