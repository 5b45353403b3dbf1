"""A study's records opened by one driver: folder lock, ledger, Optuna, the tracker's thread, and the trial manager.

Does not import Ray.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from tasksearch.core.checksum import is_damaged
from tasksearch.core.errors import BadInput
from tasksearch.core.study import StudyConfig
from tasksearch.engine.events import Event, Notice
from tasksearch.engine.optuna_database import OptunaDatabase
from tasksearch.engine.optuna_storage import OptunaMirror, open_storage, storage_name
from tasksearch.engine.optuna_writer import AsyncOptunaWriter, OptunaWriter
from tasksearch.engine.outbox import Outbox, Patience, drained
from tasksearch.engine.tracker_writer import TrackerWriter
from tasksearch.engine.trial_manager import TrialManager
from tasksearch.records.ledger import Ledger
from tasksearch.search.proposals import PlanOf
from tasksearch.tracking.port import Tracker

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Session:
    """A study that one driver owns.

    Attributes:
        outboxes: what is told through the tracker's thread, and through that of an Optuna database.
        mended: what was mended in the Optuna study, or is not ours there; a line each.
    """

    manager: TrialManager
    writer: TrackerWriter
    outboxes: tuple[Outbox, ...]
    mended: queue.SimpleQueue[str]

    @property
    def fault(self) -> Exception | None:
        """The exception that ends the run, from the trial manager or from an outbox; None if there is none."""
        return self.manager.fault or next((box.fault for box in self.outboxes if box.fault is not None), None)

    def tell_news(self) -> None:
        """Tells whoever shows progress what the outboxes and the Optuna study have to say; from the driver's thread."""
        for text in chain(drained(self.mended), *(box.news() for box in self.outboxes)):
            _LOG.info("%s", text)
            self.manager.tell(Notice(text=text))

    def finish(self) -> None:
        """Raise the exception that ended the run, if any. To be called once the session is closed."""
        if self.fault is not None:
            raise self.fault


@contextmanager
def open_session(
    ledger: Ledger,
    config: StudyConfig,
    *,
    sizes: Mapping[str, int],
    groups: Mapping[str, str],
    plan_of: PlanOf,
    tracker: Tracker,
    tags: Mapping[str, str] | None = None,
    optuna_storage: OptunaDatabase | None = None,
    on_event: Callable[[Event], None] | None = None,
    patience: Patience | None = None,
) -> Iterator[Session]:
    """Lock the study and open it; at the end, let the tracker and the Optuna database catch up, or drop their calls.

    Arguments and errors are those of `driver.run_trials`.
    """
    with ledger.lock():
        _LOG.info("study %r in %s: the folder is ours", config.name, ledger.folder)
        _begin(ledger, config, sizes)
        mended: queue.SimpleQueue[str] = queue.SimpleQueue()
        study = _open_mirror(ledger, config, optuna_storage, mended.put)
        posted = AsyncOptunaWriter(study, patience) if optuna_storage is not None else None
        mirror: OptunaWriter = posted or study
        writer = TrackerWriter(tracker, patience, ledger.curve_files)
        outboxes = (writer.outbox, posted.outbox) if posted else (writer.outbox,)
        writer.start(config, dict(tags or {}))
        tell = on_event or (lambda _: None)
        manager: TrialManager | None = None
        try:
            manager = TrialManager(
                ledger, config, mirror, sizes=sizes, groups=groups, plan_of=plan_of, write=writer.write, on_event=tell
            )
            yield Session(manager=manager, writer=writer, outboxes=outboxes, mended=mended)
            manager.close()
        finally:
            for box in outboxes:  # a user who interrupted the run must not wait for a server
                box.close(wait=manager is not None and not manager.halted, tell=lambda text: tell(Notice(text=text)))
            study.close()
            for text in drained(mended):
                tell(Notice(text=text))


def _open_mirror(
    ledger: Ledger, config: StudyConfig, database: OptunaDatabase | None, say: Callable[[str], None]
) -> OptunaMirror:
    url = database.url if database else None
    name = database.name_of(config) if database else config.optuna_name
    storage = open_storage(ledger.optuna_path, url, say)
    return OptunaMirror(storage, name, config.space, storage_name(ledger.optuna_path, url), say)


def _begin(ledger: Ledger, config: StudyConfig, sizes: Mapping[str, int]) -> None:
    """Write `study.json` and `sizes.json` if they are missing or damaged.

    Raises:
        BadInput: `study.json` is damaged, and the trials in the folder belong to a study with another configuration.
    """
    written = ledger.folder / "study.json"
    if not written.exists() or is_damaged(written):
        if written.exists():
            _LOG.warning("%s is damaged; it is written again", written)
        ledger.mend()  # other files may be damaged too
        for record in ledger.written() if written.exists() else ():
            plan = record.plan
            if (plan.suite, plan.targets, plan.languages) != (config.suite, config.targets, config.languages):
                raise BadInput(f"{written} is damaged, and trial {record.number} is of another study than was asked for now")
        ledger.save_config(config)
    path = ledger.folder / "sizes.json"
    if path.is_dir():
        ledger.set_aside(path)
    if is_damaged(path) or ledger.sizes() != dict(sizes):
        ledger.save_sizes(sizes)
