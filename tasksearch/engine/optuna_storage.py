"""The persisted Optuna study: the ledger's mirror for optuna-dashboard and `optuna.load_study`; nothing is sampled from it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import TrialState

from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import BadInput, DiskFull, Refused, TasksearchError, first_line, no_room
from tasksearch.core.plan import Plan
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import TrialRecord
from tasksearch.engine.optuna_database import close_storage, masked, meaning, open_database
from tasksearch.search.tpe import frozen_trial

_STALE_SECONDS = 5.0
_NOT_FOUND = "Record does not exist."  # optuna.storages._base.NOT_FOUND_MSG


def open_storage(path: Path, url: str | None = None) -> BaseStorage:
    """The journal file at `path`, or the relational database at `url`.

    The caller owns the study folder: a journal whose last line a crash tore is repaired, a lock that a crash left is removed.

    Raises:
        Unreachable, MissingPackage, BadInput: as `database.check_database` does.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if url is not None:
        return open_database(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    _wait_for_lock(path)
    repair_journal(path)
    return JournalStorage(JournalFileBackend(str(path)))


def storage_name(path: Path, url: str | None) -> str:
    """How a storage is called in messages."""
    return f"the Optuna storage {masked(url)}" if url is not None else f"the Optuna journal {path}"


def repair_journal(path: Path) -> bool:
    """Cuts an incomplete last line off, and keeps it beside as `<name>.torn`; whether there was one.

    An Optuna journal that is appended to after a torn line can never be opened again.
    """
    if not path.exists():
        return False
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole == content:
        return False
    write_atomic(path.with_name(f"{path.name}.torn"), content[len(whole) :])
    with path.open("r+b") as file:
        file.truncate(len(whole))
        file.flush()
        os.fsync(file.fileno())
    return True


def remove_stale_lock(path: Path) -> None:
    """Removes the journal's lock where its holder is gone; a living one (a dashboard) holds it for milliseconds."""
    lock = path.with_name(f"{path.name}.lock")
    with suppress(FileNotFoundError):
        if time.time() - lock.lstat().st_mtime > _STALE_SECONDS:
            lock.unlink()


def _wait_for_lock(path: Path) -> None:
    """A lock of a process killed just now grows stale within seconds; Optuna itself would wait half a minute."""
    lock = path.with_name(f"{path.name}.lock")
    deadline = time.monotonic() + _STALE_SECONDS + 0.2
    while lock.is_symlink() and time.monotonic() < deadline:
        time.sleep(0.05)
    remove_stale_lock(path)


class OptunaMirror:
    """Keeps an Optuna study equal to the ledger. Every call may be repeated, also one whose answer was lost.

    Every call raises:
        DiskFull: there was no room; what is written is whole.
        Unreachable: the database went away.
        Refused: it answers, and says no, or the study was deleted there.
        BadInput: the storage cannot be written.
    """

    def __init__(self, storage: BaseStorage, name: str, space: SearchSpace, where: str = "the Optuna storage") -> None:
        self._space, self._where, self._storage = space, where, storage
        self._known: list[TrialState] | None = None
        with self._answering():
            self.study: Study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)

    @property
    def _states(self) -> list[TrialState]:
        if self._known is None:
            self._known = [trial.state for trial in self.study.get_trials(deepcopy=False)]
        return self._known

    def add(self, record: TrialRecord) -> None:
        """Adds the trial as running, with its parameters, in one write; nothing where it is there already.

        Raises:
            BadInput: the Optuna study is not a mirror of this one.
        """
        with self._answering():
            if record.number < len(self._states):
                return
            if record.number != len(self._states):
                has = len(self._states)
                raise BadInput(f"the Optuna study has {has} trials, the ledger comes to trial {record.number}; expected no gap")
            self.study.add_trial(frozen_trial(self._space, record, running=True, user_attrs=_attributes(record)))
            self._states.append(TrialState.RUNNING)

    def check(self, number: int, plan: Plan) -> None:
        """Whether a trial that is proposed anew is the one that Optuna knows under that number.

        Raises:
            BadInput: it is not: the study was asked for otherwise when it was proposed first.
        """
        with self._answering():
            if number >= len(self._states):
                return
            known = self.study.get_trials(deepcopy=False)[number].user_attrs.get("plan")
        if known != plan.signature:
            raise BadInput(
                f"the record of trial {number} is damaged, and the study would now propose another plan for it; "
                f"restore trials/{number:04d}.json from a copy"
            )

    def tell(self, record: TrialRecord) -> None:
        """Tells a finished trial: its objective, or that it failed or was stopped; nothing where it was told already."""
        with self._answering():
            if self._states[record.number].is_finished():
                return
            state, value = _outcome(record)
            self.study.tell(record.number, value, state=state, skip_if_finished=True)
            self._states[record.number] = state

    def close(self) -> None:
        """Gives connections back; nothing is told afterwards."""
        close_storage(self._storage)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Faults of the storage in one line; after one its trials are read anew: what it answered may have been lost."""
        try:
            yield
        except TasksearchError:
            raise
        except Exception as fault:
            self._known = None
            raise _told(fault, self._where) from None


def trials_in_optuna(path: Path, name: str, url: str | None = None) -> dict[str, str]:
    """Trial number → state, value and parameters as the Optuna study has them; for counting and comparing."""
    storage = open_database(url) if url is not None else JournalStorage(JournalFileBackend(str(path)))
    try:
        trials = optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False)
    except KeyError:
        return {}
    finally:
        close_storage(storage)
    return {str(t.number): f"{t.state.name} {t.value!r} {sorted(t.params.items())!r}" for t in trials}


def mirror_faults(records: Sequence[TrialRecord], space: SearchSpace, path: Path, name: str, url: str | None) -> dict[int, str]:
    """Trial number → what Optuna has otherwise than the records that it was told of; nothing is written.

    Raises:
        BadInput: the journal cannot be read.
        TasksearchError: as `open_storage`, for a database.
    """
    if url is None and not path.is_file():
        raise BadInput(f"{path} is not there")
    try:
        storage = open_database(url) if url is not None else JournalStorage(JournalFileBackend(str(path)))
        try:
            trials = optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False)
        finally:
            close_storage(storage)
    except TasksearchError:
        raise
    except Exception as fault:  # whatever a flipped bit makes of a journal
        raise BadInput(f"{storage_name(path, url)} cannot be read: {type(fault).__name__}: {first_line(fault)}") from None
    found = {}
    for record in records:
        if record.status == "running" or (record.status == "done" and record.objective is None):
            continue
        if record.number >= len(trials):
            found[record.number] = "absent"
            continue
        trial, wanted = trials[record.number], frozen_trial(space, record)
        value = trial.value if trial.state == TrialState.COMPLETE else None
        if (trial.state, value, trial.params) != (wanted.state, wanted.value, wanted.params):
            found[record.number] = f"{trial.state.name} {value}, recorded {wanted.state.name} {wanted.value}"
    return found


def rebuild_journal(records: Sequence[TrialRecord], space: SearchSpace, path: Path, name: str) -> None:
    """Writes the journal again from the records; what stood there is kept as `<name>.damaged`. The caller owns the folder."""
    if path.exists():
        path.replace(path.with_name(f"{path.name}.damaged"))
    mirror = OptunaMirror(open_storage(path), name, space)
    for record in records:
        mirror.add(record)
    for record in records:
        if record.status in ("stopped", "failed") or record.objective is not None:
            mirror.tell(record)
    mirror.close()


def _told(fault: Exception, where: str) -> Exception:
    """What a fault of the storage means to the user; the fault itself where it is none of the storage's."""
    # a journal's lock that cannot be released for want of room is said to be nobody's: the cause stands behind that
    if (cause := _system_fault(fault)) is not None:
        if no_room(cause):
            return DiskFull(f"no room left for {where}; free some, then `tasksearch resume`: what is finished is kept")
        return BadInput(f"{where} cannot be written: {first_line(cause)}")
    if isinstance(fault, KeyError) and fault.args == (
        _NOT_FOUND,
    ):  # so Optuna says of a study, or a trial, that somebody deleted
        return Refused(f"{where} lacks what it was told; `tasksearch resume` tells it again")
    return meaning(fault, where)


def _system_fault(fault: BaseException | None) -> OSError | None:
    """The fault of the operating system behind a fault of Optuna's."""
    while fault is not None and not isinstance(fault, OSError):
        fault = fault.__context__ if isinstance(fault, RuntimeError) else None
    return fault


def _outcome(record: TrialRecord) -> tuple[TrialState, float | None]:
    if record.status == "done":
        assert record.objective is not None, "a trial is told once it is judged"
        return TrialState.COMPLETE, record.objective
    return (TrialState.PRUNED if record.status == "stopped" else TrialState.FAIL), None


def _attributes(record: TrialRecord) -> dict[str, Any]:
    plan = record.plan
    return {"role": record.role, "plan": plan.signature, "schedule": str(plan.schedule), "seed": plan.seed}
