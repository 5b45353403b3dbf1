"""`Additions`: the additions to finished trials that an extended study still lacks, run one after the other. Without Ray.

A failed addition leaves its trial unchanged; it is tried again when the study is opened again.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tasksearch.core.score import ScoreTable
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.records.additions import joined, lacking
from tasksearch.records.ledger import Ledger


class Additions:
    """Queue of additions while a driver runs them.

    Attributes:
        failed: records of the additions that failed in this run, with their causes.
    """

    def __init__(self, ledger: Ledger, config: StudyConfig) -> None:
        self._ledger, self._config = ledger, config
        grew = bool(ledger.history())
        self._done: dict[int, list[TrialRecord]] = ledger.additions() if grew else {}
        self._queue = lacking(ledger.written(), self._done, config) if grew else []
        self._running: dict[tuple[int, int], TrialRecord] = {}
        self.failed: list[TrialRecord] = []

    @property
    def open(self) -> int:
        """Number of additions that are not finished."""
        return len(self._queue) + len(self._running)

    def next(self) -> TrialRecord | None:
        """Return the next addition, recorded as running; None if none is left to start."""
        if not self._queue:
            return None
        record = dataclasses.replace(self._queue.pop(0), started=time.time())
        self._running[record.number, record.addition] = record
        self._ledger.write(record)
        return record

    def finish(self, number: int, addition: int, result: Mapping[str, Any]) -> TrialRecord | None:
        """Record an addition's last report and return its record; None if it was finished before."""
        record = self._running.get((number, addition))
        if record is None:
            return None
        facts = tuple(sorted(json.loads(result.get("facts", "{}")).items()))
        if "failed" in result:
            return self._settle(dataclasses.replace(record, status="failed", cause=str(result["failed"]), facts=facts))
        scores = ScoreTable.from_json(json.loads(result["scores"]))
        seconds = tuple(sorted((kind, float(spent)) for kind, spent in json.loads(result["seconds"]).items()))
        return self._settle(dataclasses.replace(record, status="done", scores=scores, seconds=seconds, facts=facts))

    def lose(self, number: int, addition: int, cause: str | None) -> TrialRecord | None:
        """Handle the loss of the addition's worker: fail it with `cause`, or put it first in the queue if `cause` is None.

        Returns the record of a failed addition, else None.
        """
        record = self._running.get((number, addition))
        if record is None:
            return None
        if cause is not None:
            return self._settle(dataclasses.replace(record, status="failed", cause=cause))
        self._queue.insert(0, self._running.pop((number, addition)))
        return None

    def shown(self, record: TrialRecord) -> TrialRecord:
        """Return a trial's record joined with its finished additions."""
        own: Sequence[TrialRecord] = self._done.get(record.number, ())
        return joined(record, own, self._config) if own else record

    def _settle(self, record: TrialRecord) -> TrialRecord:
        record = dataclasses.replace(record, ended=time.time())
        self._ledger.write(record)
        del self._running[record.number, record.addition]
        if record.status == "failed":
            self.failed.append(record)
        others = [one for one in self._done.get(record.number, ()) if one.addition != record.addition]
        self._done[record.number] = [*others, record]
        return record
