"""Writers of the Optuna study: directly into a journal file, or through an outbox into a database that may stop answering."""

from __future__ import annotations

import logging
from typing import Protocol

from tasksearch.core.plan import Plan
from tasksearch.core.study import TrialRecord
from tasksearch.engine.optuna_storage import OptunaMirror
from tasksearch.engine.outbox import Outbox, Patience

_LOG = logging.getLogger(__name__)


class OptunaWriter(Protocol):
    """What the trial manager tells an Optuna study; `OptunaMirror` says what each call does."""

    def add(self, record: TrialRecord) -> None:
        """Add a trial that has begun."""

    def tell(self, record: TrialRecord) -> None:
        """Pass on a trial that is finished and judged."""

    def check(self, number: int, plan: Plan) -> None:
        """Check that a trial that is proposed anew is the one that Optuna knows under that number."""


class AsyncOptunaWriter:
    """Optuna study in a database: calls wait in an outbox while the database does not answer, and the study goes on."""

    def __init__(self, mirror: OptunaMirror, patience: Patience | None = None) -> None:
        self._mirror = mirror
        self.outbox = Outbox("Optuna", patience)
        self.outbox.start()

    def add(self, record: TrialRecord) -> None:
        """Enqueue the call."""
        self.outbox.put(lambda: self._mirror.add(record))

    def tell(self, record: TrialRecord) -> None:
        """Enqueue the call."""
        _LOG.debug("the Optuna database is to be told of trial %d", record.number)
        self.outbox.put(lambda: self._mirror.tell(record))

    def check(self, number: int, plan: Plan) -> None:
        """Check at once, without the outbox."""
        self._mirror.check(number, plan)
