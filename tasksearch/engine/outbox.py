"""`Outbox`: calls to a service outside the study (MLflow, an Optuna database), made in order by one thread.

Every call follows from the ledger's records, which fix all numbers and times. So a repeated call changes nothing, and calls
that a crash dropped are made again by a resume. If the service stops answering, the calls wait here and the trials go on.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tasksearch.core.errors import Refused, Unreachable

_LOG = logging.getLogger(__name__)
Job = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for a service that does not answer, in seconds.

    Attributes:
        at_end: once the study is over, counted from the first call without an answer; until then there is no limit.
        first, longest: pauses between two tries; each is twice the one before, up to `longest`.
    """

    at_end: float = 600.0
    first: float = 1.0
    longest: float = 15.0


def drained(said: queue.SimpleQueue[str]) -> list[str]:
    """What was put there since the last call."""
    found = []
    while not said.empty():
        found.append(said.get())
    return found


class Outbox:
    """Queue of calls, made in the order they were put. After one fails for good the rest are dropped: a resume repeats them.

    Attributes:
        fault: the exception that the failed call raised; None so far.
    """

    def __init__(self, name: str, patience: Patience | None = None) -> None:
        self._name, self._patience = name, patience or Patience()
        self._jobs: queue.SimpleQueue[tuple[Job, bool] | None] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._at_end = self._patience.at_end
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.fault: Exception | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, job: Job, *, once: bool = False) -> None:
        """Enqueue a call. `once`: do not wait and try again if the service does not answer; that is then a fault."""
        self._jobs.put((job, once))

    def news(self) -> list[str]:
        """What is to be said since the last call: that the place went away, that it is back. Each is said once."""
        return drained(self._news)

    def say(self, text: str) -> None:
        """Adds a line to the news."""
        self._news.put(text)

    def close(self, *, wait: bool = True, tell: Callable[[str], None] | None = None) -> None:
        """Return once every enqueued call was made, or dropped.

        Args:
            wait: wait for a service that does not answer, as long as `Patience.at_end` allows; False: try only once more.
            tell: called with each message meanwhile.
        """
        if not wait:
            self._at_end = 0.0
        _LOG.debug("%s: about %d calls are left at the end", self._name, self._jobs.qsize())
        self._closing.set()
        self._jobs.put(None)
        while self._thread.is_alive():
            self._thread.join(0.2)
            for text in self.news() if tell else ():
                tell(text)  # type: ignore[misc]

    def _run(self) -> None:
        while (found := self._jobs.get()) is not None:
            if self.fault is None:
                self._do(*found)

    def _do(self, job: Job, once: bool) -> None:
        away_since: float | None = None
        pause = self._patience.first
        while True:
            try:
                job()
                break
            except Unreachable as error:
                _LOG.debug("%s did not answer: %s", self._name, error)
                if away_since is None:
                    away_since = time.monotonic()
                    _LOG.warning("%s: %s", self._name, error)
                    if not (once or isinstance(error, Refused)):
                        self._news.put(_told(self._name, error))
                if once or isinstance(error, Refused) or self._left(away_since) <= 0:
                    _LOG.error("%s is given up, the rest of what it is to be told is left to a resume: %s", self._name, error)
                    self.fault = error
                    return
                self._pause(pause)
                pause = min(2 * pause, self._patience.longest)
            except Exception as error:  # kept, for the driver to raise in its own thread
                _LOG.error("%s cannot be written, which ends the run: %s", self._name, error, exc_info=error)
                self.fault = error
                return
        if away_since is not None:
            _LOG.info(
                "%s answers again after %.0f s; about %d calls wait",
                self._name,
                time.monotonic() - away_since,
                self._jobs.qsize(),
            )
            self._news.put(f"{self._name} answers again after {time.monotonic() - away_since:.0f} s; it is being caught up")

    def _left(self, away_since: float) -> float:
        """Return the seconds left to wait for a service that stopped answering at `away_since`."""
        return away_since + self._at_end - time.monotonic() if self._closing.is_set() else math.inf

    def _pause(self, seconds: float) -> None:
        """Sleep, but wake up when the study ends, and then announce how long the outbox will still wait."""
        if self._closing.is_set():
            time.sleep(seconds)
        elif self._closing.wait(seconds) and self._at_end > 0:
            self._news.put(
                f"every trial is done; waiting up to {self._at_end:.0f} s in all for {self._name}, then `tasksearch "
                "resume` completes it"
            )


def _told(name: str, error: Unreachable) -> str:
    what = str(error).partition(";")[0]
    return f"{what}: the study goes on, and {name} is told what it missed once it answers again"
