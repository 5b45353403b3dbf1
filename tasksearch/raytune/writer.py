"""One thread that writes the tracker, so that a slow tracking server never holds a trial up."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping

from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.tracking.port import Tracker


class TrackerWriter:
    """Calls of a tracker, in the order they were asked for. After one that fails the rest are dropped: a resume replays."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._open = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tracker", daemon=True)
        self.fault: Exception | None = None
        self.seconds: dict[int, float] = {}

    def start(self, config: StudyConfig, tags: Mapping[str, str]) -> None:
        """Starts the thread, with opening the study as its first job."""
        self._jobs.put(lambda: self._tracker.open_study(config, tags))
        self._jobs.put(self._open.set)
        self._thread.start()

    def wait_until_open(self) -> None:
        """Returns once the study is open.

        Raises:
            TasksearchError: what the tracker raised instead.
        """
        while not self._open.wait(0.05):
            if self.fault is not None:
                raise self.fault

    def write(self, record: TrialRecord) -> None:
        """Asks for one trial to be written."""
        self._jobs.put(lambda: self._timed(record))

    def close(self) -> None:
        """Returns once everything asked for was written, or dropped after a fault."""
        self._jobs.put(None)
        self._thread.join()

    def _timed(self, record: TrialRecord) -> None:
        started = time.perf_counter()
        self._tracker.write_trial(record, {})
        self.seconds[record.number] = time.perf_counter() - started

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self.fault is not None:
                continue
            try:
                job()
            except Exception as error:  # the driver raises it, in its own thread
                self.fault = error
