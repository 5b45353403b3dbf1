"""What runs at the moment, in one line: for output without a terminal, where nothing else is said until a trial is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_SHOWN = 4  # running trials that are named


@dataclass(kw_only=True)
class Heartbeat:
    """Counts what a run's events tell.

    Attributes:
        parts: parts (segments trained or found, and scores) that are done in this run.
        finished, judged: trials that ended in this run, and those of them that have been told of.
    """

    parts: int = 0
    finished: int = 0
    judged: int = 0
    _running: dict[int, str] = field(default_factory=dict)
    _position: dict[int, int] = field(default_factory=dict)
    _roles: dict[int, str] = field(default_factory=dict)

    def on_event(self, event: Any) -> None:
        """An event of `engine.events`."""
        from tasksearch.engine.events import TrialFinished, TrialJudged, TrialProgress, TrialStarted

        if isinstance(event, TrialStarted):
            record = event.record
            self._roles[record.number] = "addition" if record.addition else record.role
            self._running[record.number] = f"trial {record.number} ({self._roles[record.number]}) begins"
            self._position[record.number] = 0
        elif isinstance(event, TrialProgress):
            key = event.number
            self.parts += max(0, event.position - self._position.get(key, 0))
            self._position[key] = event.position
            role = self._roles.get(event.number, "again")
            self._running[key] = f"trial {event.number} ({role}) part {event.position + 1} of {event.parts}: {event.part}"
        elif isinstance(event, TrialFinished):
            self.finished += not event.record.addition
            self._running.pop(event.record.number, None)
        elif isinstance(event, TrialJudged):
            self.judged += 1

    def line(self) -> str:
        """`running: trial 3 (search) part 2 of 5: target/nli; 17 parts done in this run`."""
        if not self._running:
            return "still preparing" if not self.finished else "waiting for the next trial to begin"
        shown = list(self._running.values())
        more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        waiting = self.finished - self.judged
        told = f"; {waiting} finished, to be judged once the baseline is" if waiting > 0 else ""
        return f"running: {', '.join(shown[:_SHOWN])}{more}; {self.parts} parts done in this run{told}"
