"""The persisted Optuna study: the ledger's mirror for optuna-dashboard and `optuna.load_study`; nothing is sampled from it."""

from __future__ import annotations

import itertools
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import BadInput, DiskFull, Refused, TasksearchError, first_line, no_room
from tasksearch.core.plan import Plan
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import TrialRecord
from tasksearch.engine.optuna_database import close_storage, masked, meaning, open_database
from tasksearch.engine.optuna_trials import attributes_of, is_told, outcome_of, own_trials, says_otherwise
from tasksearch.search.tpe import frozen_trial

_LOG = logging.getLogger(__name__)

METRIC = "objective"
"""Name of a trial's value, as in MLflow."""
_STALE_SECONDS = 5.0
_NOT_FOUND = "Record does not exist."  # optuna.storages._base.NOT_FOUND_MSG


def open_storage(path: Path, url: str | None = None, say: Callable[[str], None] | None = None) -> BaseStorage:
    """The journal file at `path`, or the relational database at `url`.

    The caller owns the study folder: a journal whose last line a crash tore is repaired, one that cannot be read is put aside
    as `<name>.damaged`, for its trials are told again from the records; a lock that a crash left is removed.

    Raises:
        Unreachable, MissingPackage, BadInput: as `database.check_database` does.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if url is not None:
        return open_database(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    _wait_for_lock(path)
    repair_journal(path)
    try:
        return JournalStorage(JournalFileBackend(str(path)))
    except (OSError, RuntimeError):  # of the disk, or of the journal's lock
        raise
    except Exception as fault:  # whatever a damaged line makes of it
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        (say or _LOG.warning)(
            f"{path} is damaged ({type(fault).__name__}): kept as {aside.name}, and written again from the study's records"
        )
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

    The study's own trials are known by what they carry (`engine.optuna_trials`); what others put there stays and is not
    counted. Where one of our own says otherwise than its record, the Optuna study is written again from the records, and what
    it held is kept under another name: Optuna changes no finished trial.

    Every call raises:
        DiskFull: there was no room; what is written is whole.
        Unreachable: the database went away.
        Refused: it answers, and says no, or the study was deleted there.
        BadInput: the storage cannot be written.

    Args:
        where: how the storage is called in messages.
        say: called with one line whenever something was mended, or is not ours.
    """

    def __init__(
        self,
        storage: BaseStorage,
        name: str,
        space: SearchSpace,
        where: str = "the Optuna storage",
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._space, self._where, self._storage, self._name = space, where, storage, name
        self._say = say or _LOG.info
        self._asked: dict[int, TrialRecord] = {}
        self._judged: set[int] = set()
        self._behind: set[int] = set()
        self._places: dict[int, FrozenTrial | None] | None = None
        self._others: set[int] = set()
        self._half_rebuilt = False
        with self._answering():
            self.study: Study = self._opened()

    def add(self, record: TrialRecord) -> None:
        """Adds the trial as running, with its parameters, in one write; nothing where it is there already.

        Raises:
            BadInput: a trial before this one was never added.
        """
        with self._answering():
            has = 1 + max(self._known(), default=-1)
        if record.number > has:
            raise BadInput(f"the Optuna study has {has} trials, the ledger comes to trial {record.number}; expected no gap")
        self._asked.setdefault(record.number, record)
        self._behind.add(record.number)
        self._catch_up()

    def check(self, number: int, plan: Plan) -> None:
        """Whether a trial that is proposed anew is the one that Optuna knows under that number.

        Raises:
            BadInput: it is not: the study was asked for otherwise when it was proposed first.
        """
        with self._answering():
            known = self._known().get(number) or self._read().get(number)
        if known is not None and known.user_attrs.get("plan") != plan.signature:
            raise BadInput(
                f"the record of trial {number} is damaged, and the study would now propose another plan for it; "
                f"restore trials/{number:04d}.json from a copy"
            )

    def tell(self, record: TrialRecord) -> None:
        """Tells a finished trial: its objective, or that it failed or was stopped; nothing where it was told already."""
        self._asked[record.number] = record
        self._judged.add(record.number)
        self._behind.add(record.number)
        self._catch_up()

    def close(self) -> None:
        """Gives connections back; nothing is told afterwards."""
        close_storage(self._storage)

    def _catch_up(self) -> None:
        """Brings the trials that may be behind their records up to them."""
        with self._answering():
            wrong = next((number for number in sorted(self._behind) if not self._bring(number)), None)
            if wrong is None:
                return
            aside = self._begin_anew()
            if not all(self._bring(number) for number in sorted(self._behind)):
                raise Refused(f"{self._where} is being changed by others; end that, then `tasksearch resume`")
        self._say(
            f"the Optuna study {self._name!r} said otherwise than the record of trial {wrong}: it was written again from the "
            f"study's records, and what it held is kept there as {aside!r}"
        )

    def _bring(self, number: int) -> bool:
        """Adds and tells one trial, as far as it lacks that; False where what stands there is another."""
        record, judged, places = self._asked[number], number in self._judged, self._known()
        if number not in places:
            self.study.add_trial(frozen_trial(self._space, record, running=True, user_attrs=attributes_of(record)))
            places[number] = None  # its place is read when it is needed
        trial = places[number]
        if judged and trial is None:
            trial = self._read()[number]
        if trial is not None and says_otherwise(trial, record, judged=judged):
            return False
        if judged and trial is not None and not trial.state.is_finished():
            state, value = outcome_of(record)
            trial = self._known()[number] = self.study.tell(trial.number, value, state=state, skip_if_finished=True)
            if not is_told(trial, record):  # somebody told it meanwhile
                return False
        self._behind.discard(number)
        return True

    def _begin_anew(self) -> str:
        """Keeps the Optuna study under another name, which is returned, and begins an empty one."""
        taken = set(optuna.get_all_study_names(self._storage))
        aside = next(name for n in itertools.count(1) if (name := f"{self._name}.aside{n}") not in taken)
        optuna.copy_study(from_study_name=self._name, from_storage=self._storage, to_storage=self._storage, to_study_name=aside)
        self._half_rebuilt = True
        optuna.delete_study(study_name=self._name, storage=self._storage)
        self.study, self._half_rebuilt = self._opened(), False
        self._places, self._others, self._behind = {}, set(), set(self._asked)
        return aside

    def _opened(self) -> Study:
        study = optuna.create_study(storage=self._storage, study_name=self._name, direction="maximize", load_if_exists=True)
        if study.metric_names is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                study.set_metric_names([METRIC])
        return study

    def _known(self) -> dict[int, FrozenTrial | None]:
        return self._read() if self._places is None else self._places

    def _read(self) -> dict[int, FrozenTrial | None]:
        if self._half_rebuilt:  # the old one is deleted, the answer to making the new one was lost
            self.study, self._half_rebuilt = self._opened(), False
        trials = self.study.get_trials(deepcopy=False)
        own = own_trials(trials)
        self._places = dict(own)
        others = {trial.number for trial in trials} - {trial.number for trial in own.values()}
        if new := sorted(others - self._others):
            numbers = ", ".join(map(str, new[:10])) + (" …" if len(new) > 10 else "")
            self._say(
                f"the Optuna study {self._name!r} holds trials that this study did not propose (Optuna's number {numbers}): "
                "they stay there, are not run and not counted"
            )
        self._others |= others
        return self._places

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Faults of the storage in one line; after one its trials are read anew: what it answered may have been lost."""
        try:
            yield
        except TasksearchError:
            raise
        except Exception as fault:
            self._places, self._behind = None, set(self._asked)
            raise _told(fault, self._where) from None


def name_verdict(path: Path, name: str, url: str | None, verdict: Mapping[str, Any]) -> None:
    """Name the verdict in the Optuna study, as its user attribute `verdict`; its `best_trial` stays the search's own.

    Raises:
        TasksearchError: as `OptunaMirror`.
    """
    where = storage_name(path, url)
    try:
        storage = open_storage(path, url)
        try:
            study = optuna.load_study(study_name=name, storage=storage)
            if study.user_attrs.get("verdict") != verdict:
                study.set_user_attr("verdict", dict(verdict))
        finally:
            close_storage(storage)
    except TasksearchError:
        raise
    except Exception as fault:
        raise _told(fault, where) from None


def trials_in_optuna(path: Path, name: str, url: str | None = None) -> dict[str, str]:
    """Number of a record → state, value and parameters as the Optuna study has them, of the study's own trials."""
    return {
        str(number): f"{trial.state.name} {trial.value!r} {sorted(trial.params.items())!r}"
        for number, trial in stored_trials(path, name, url).items()
    }


def stored_trials(path: Path, name: str, url: str | None = None) -> dict[int, FrozenTrial]:
    """Number of a record → its trial in the Optuna study; empty where there is no such study."""
    storage = open_database(url) if url is not None else JournalStorage(JournalFileBackend(str(path)))
    try:
        return own_trials(optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False))
    except KeyError:
        return {}
    finally:
        close_storage(storage)


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
            trials = own_trials(optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False))
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
        trial, wanted = trials.get(record.number), frozen_trial(space, record)
        if trial is None:
            found[record.number] = "absent"
            continue
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
