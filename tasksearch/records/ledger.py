"""`Ledger`: reads and writes the records in a study folder, from which Optuna and MLflow are filled.

study.json                         configuration (`StudyConfig`), and under `history` those before the study was extended
trials/study.json                  its copy, read if the first is damaged or missing
sizes.json                         training examples of every intermediate task
trials/0007.json                   record of a trial (`TrialRecord`)
trials/0007.log                    log of the process that trained it; the driver's is `driver.log`
trials/0007.curves.json            learning curves of its segments; may be missing, nothing is decided by them
trials/0007.outcomes.safetensors   per-example outcomes, one array per "target/language/half"
additions/0007.1.json              addition to the trial from extending the study (`records.additions`); outcomes beside it
documents/nli.safetensors          number of each example's document, in the same order; written once per study and target
ended.json                         configuration and number of trials when nothing was left to run
optuna.journal                     copy of the trials for Optuna and optuna-dashboard

JSON files carry a format version and a checksum (`core.checksum`); files of earlier versions without them are accepted.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from tasksearch.core.atomic import make_folder, write_atomic
from tasksearch.core.checksum import checked_json, is_damaged, parse_checked, read_file
from tasksearch.core.errors import BadInput, Damaged, StudyBusy, StudyNotReady
from tasksearch.core.learning_curve import CURVES, LearningCurve, read_curves
from tasksearch.core.own_files import FOLDER, look_in
from tasksearch.core.study import BASELINES, StudyConfig, TrialRecord
from tasksearch.records.holes import refuse_holes
from tasksearch.records.outcomes import Cell, Outcomes, cell_of, outcome_bytes, read_outcomes

_T = TypeVar("_T")


class Ledger:
    """One study folder. One driver at a time writes records; each worker writes the outcomes of its own trial."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder).absolute()
        self._lock = FileLock(self.folder / "driver.lock", timeout=0)

    @property
    def trials_path(self) -> Path:
        """Folder of the records."""
        return self.folder / "trials"

    @property
    def optuna_path(self) -> Path:
        """Journal of the Optuna study."""
        return self.folder / "optuna.journal"

    @property
    def cache_path(self) -> Path:
        """Cache of score tables for fast reading; it can be deleted without loss."""
        return self.folder / "cache" / "scores.safetensors"

    def record_path(self, number: int, addition: int = 0) -> Path:
        """Return the path of the record of a trial, or of an addition to it."""
        name = f"{number:04d}.{addition}.json" if addition else f"{number:04d}.json"
        return (self.folder / "additions" if addition else self.trials_path) / name

    def outcomes_path(self, number: int, addition: int = 0) -> Path:
        """Return the path of the per-example outcomes of a trial, or of an addition to it."""
        return self.record_path(number, addition).with_suffix(".outcomes.safetensors")

    def curves_path(self, number: int) -> Path:
        """Return the path of the learning curves of a trial and its additions."""
        return self.record_path(number).with_suffix(f".{CURVES}")

    def curve_files(self, number: int) -> dict[str, Path]:
        """Return the file of the trial's learning curves by its name, as a tracker takes it; empty if there is none."""
        path = self.curves_path(number)
        return {CURVES: path} if path.is_file() else {}

    def write_curves(self, number: int, curves: Mapping[str, LearningCurve], addition: int = 0) -> None:
        """Write the learning curves of a trial by part, joined with those of the trial before the addition."""
        known = read_curves(self.curves_path(number)) if addition else {}
        told = {part: curve.to_json() for part, curve in {**curves, **known}.items()}
        write_atomic(self.curves_path(number), _json_bytes(told))

    def log_path(self, number: int, addition: int = 0) -> Path:
        """Return the path of the log of the process that trains a trial or an addition to it."""
        return self.record_path(number, addition).with_suffix(".log")

    def save_config(self, config: StudyConfig) -> None:
        """Write `study.json`; its history stays unchanged."""
        self._save(config, self.history())

    def extend_config(self, config: StudyConfig) -> None:
        """Write a new configuration to `study.json` and append the previous one to its history, in one atomic write."""
        self._save(config, [*self.history(), self.config()])

    def _save(self, config: StudyConfig, history: Sequence[StudyConfig]) -> None:
        past = {"history": [one.to_json() for one in history]} if history else {}
        content = checked_json(config.to_json() | past)
        for path in self.config_paths:
            if path.is_dir():
                self.set_aside(path)
            write_atomic(path, content)

    @property
    def config_paths(self) -> tuple[Path, Path]:
        """`study.json` and its copy."""
        return self.folder / "study.json", self.trials_path / "study.json"

    def has_config(self) -> bool:
        """Whether `study.json` or its copy exists undamaged."""
        return self._written_config() is not None

    def _written_config(self) -> Path | None:
        """Return the first undamaged one of `study.json` and its copy."""
        try:
            return next((path for path in self.config_paths if path.exists() and not is_damaged(path)), None)
        except OSError as fault:
            raise BadInput(f"{self.folder} cannot be read: {fault.strerror or fault}") from None

    def history(self) -> list[StudyConfig]:
        """Return the configurations before the study was extended, oldest first; empty if it never was."""
        path = self._written_config()
        return _read(path, _history) if path is not None else []

    def config(self) -> StudyConfig:
        """Read `study.json`, or its copy if that is damaged or missing.

        Raises:
            StudyNotReady: the folder holds no study.
            Damaged: both files are damaged.
            BadInput: the file was written by another version.
        """
        path = self._written_config()
        if path is not None:
            look_in(self.folder / FOLDER)
            return _read(path, _config)
        first = self.config_paths[0]
        if not any(path.exists() for path in self.config_paths):
            raise StudyNotReady(f"no study in {self.folder}; expected a folder with study.json, as `tasksearch run` makes it")
        raise Damaged(
            f"{first} was cut short or is damaged, and so is its copy; give the command that began the study again: its trials "
            "are kept"
        )

    def absent(self) -> frozenset[str]:
        """Return the fields of `StudyConfig` that `study.json` lacks.

        An earlier version, which did not have them, began the study. Empty if neither `study.json` nor its copy exists
        undamaged.
        """
        path = self._written_config()
        if path is None:
            return frozenset()
        return frozenset(field.name for field in dataclasses.fields(StudyConfig)) - _read(path, dict).keys()

    def save_end(self, config: StudyConfig, trials: int) -> None:
        """Record that the study is complete under this configuration, with its number of trials."""
        if not self.has_ended(config, trials):
            write_atomic(self.folder / "ended.json", checked_json({"study": config.to_json(), "trials": trials}))

    def has_ended(self, config: StudyConfig, trials: int) -> bool:
        """Whether the study was once complete with this configuration and number of trials.

        A later version, which might propose more trials, then proposes none.
        """
        return self.ended() == (config, trials)

    def ended(self) -> tuple[StudyConfig, int] | None:
        """Return the configuration and number of trials with which the study was complete; None if unknown."""
        path = self.folder / "ended.json"
        if not path.exists() or is_damaged(path):
            return None
        return _read(path, lambda data: (_config(data["study"]), int(data["trials"])))

    def save_sizes(self, sizes: Mapping[str, int]) -> None:
        """Write task → number of training examples."""
        write_atomic(self.folder / "sizes.json", checked_json(dict(sorted(sizes.items()))))

    def sizes(self) -> dict[str, int]:
        """Return task → number of training examples; empty for a study begun before these were recorded."""
        path = self.folder / "sizes.json"
        return _read(path, lambda data: {str(task): int(size) for task, size in data.items()}) if path.exists() else {}

    def write(self, record: TrialRecord) -> None:
        """Write one trial's record or addition atomically."""
        write_atomic(self.record_path(record.number, record.addition), checked_json(record.to_json()))

    def records(self) -> list[TrialRecord]:
        """Return every trial's record combined with its additions, in order of number.

        Raises:
            StudyNotReady: records are missing, in between or at the end of a study that has ended.
            BadInput: a record is damaged or was written by another version.
        """
        from tasksearch.records.additions import grown

        written = self.written()
        if self.has_config():
            refuse_holes(self, [record.number for record in written])
        return grown(written, self.additions(), self.config()) if self.history() else written

    def additions(self) -> dict[int, list[TrialRecord]]:
        """Return trial number → its additions, in order."""
        found: dict[int, list[TrialRecord]] = {}
        for path in (self.folder / "additions").glob("[0-9]*.[0-9]*.json"):
            record = _read(path, TrialRecord.from_json)
            found.setdefault(record.number, []).append(record)
        return {number: sorted(own, key=lambda one: one.addition) for number, own in found.items()}

    def written(self) -> list[TrialRecord]:
        """Return every trial's record as written, without checking for missing ones.

        Temporary files of crashed writers are ignored. Score tables of a large study are cached in `cache/`, keyed by the
        records' content (`records.score_columns`).
        """
        from tasksearch.records.score_columns import LEAST, digest, read_anew, read_cache, record_of, write_cache

        paths = self.record_paths()
        if len(paths) < LEAST:
            return [_numbered(path, _read(path, TrialRecord.from_json)) for path in paths]
        cache, names, new, records = read_cache(self.cache_path), list[str](), dict[str, Any](), list[TrialRecord]()
        for path in paths:
            content = read_file(path)
            name = digest(content)
            names.append(name)
            if name in cache:
                records.append(record_of(cache[name]))
            else:
                record, new[name] = _parsed(path, content, read_anew)
                records.append(_numbered(path, record))
        if len(new) > len(paths) // 20:
            write_cache(self.cache_path, {name: entry for name in names if (entry := new.get(name) or cache.get(name))})
        return records

    def record_paths(self) -> list[Path]:
        """Return the files of the trials' records, in order of number."""
        return sorted(self.trials_path.glob("[0-9]*[0-9].json"), key=_number)

    def mend(self) -> list[str]:
        """Rename damaged records to `<name>.damaged`; those of another version are left alone.

        Must hold the folder's lock. A trial whose record is damaged is proposed and run again, with the same numbers.

        Returns:
            One line per renamed file.
        """
        found = [path for path in (*self.record_paths(), *(self.folder / "additions").glob("[0-9]*.json")) if is_damaged(path)]
        return [self.set_aside(path) for path in found]

    def mend_config(self) -> list[str]:
        """Restore `study.json` from its copy, or the copy from it, if one is damaged or missing. Must hold the folder's lock.

        Returns:
            One line per restored file.
        """
        whole, said = self._written_config(), []
        for path in self.config_paths if whole is not None else ():
            if path == whole or (path.exists() and not is_damaged(path)):
                continue
            if path.is_dir():
                self.set_aside(path)
            if path.exists() or path == self.config_paths[0]:  # a study begun by an earlier version has no copy yet
                said.append(f"{path.relative_to(self.folder)} was damaged or gone; written again from its copy")
            write_atomic(path, whole.read_bytes())  # type: ignore[union-attr]
        return said

    def set_aside(self, path: Path) -> str:
        """Rename a damaged file, or a folder in its place, to `<name>.damaged`; return a line that says so."""
        aside = path.with_name(f"{path.name}.damaged")
        if path.is_dir() or aside.is_dir():
            aside = next(free for n in itertools.count(1) if not (free := path.with_name(f"{path.name}.damaged{n}")).exists())
            path.rename(aside)
            path.with_name(f"{path.name}.damaged").touch()
        else:
            path.replace(aside)
        return f"{path.relative_to(self.folder)} was damaged; kept as {aside.name}"

    def forget(self, number: int) -> None:
        """Mark a trial to be run again because its record is missing or contradicts its outcomes: it is treated as damaged."""
        path = self.record_path(number)
        if path.exists():
            self.set_aside(path)
        else:
            make_folder(path.parent)
            path.with_name(f"{path.name}.damaged").touch()

    def put_aside(self) -> list[int]:
        """Return the numbers of trials whose damaged records were set aside and are not yet restored."""
        aside = [_number(path.with_suffix("")) for path in self.trials_path.glob("[0-9]*[0-9].json.damaged")]
        return sorted(number for number in aside if not self.record_path(number).exists())

    def outcomes_are_damaged(self, number: int) -> bool:
        """Whether the file of per-example outcomes exists and is damaged."""
        path = self.outcomes_path(number)
        try:
            if path.exists():
                read_outcomes(path)
        except Damaged:
            return True
        return False

    def write_outcomes(self, number: int, outcomes: Outcomes, addition: int = 0) -> None:
        """Write the per-example outcomes of a trial, or of an addition to it, atomically."""
        path = self.outcomes_path(number, addition)
        if path.is_dir():
            self.set_aside(path)
        write_atomic(path, outcome_bytes(outcomes))

    def outcomes(self, number: int) -> dict[Cell, NDArray[np.float32]]:
        """Read one trial's per-example outcomes, arrays of shape (n, 2), combined with those of its finished additions.

        Raises:
            StudyNotReady: the trial has no outcomes (yet).
            Damaged: the file is damaged.
        """
        path = self.outcomes_path(number)
        if not path.exists():
            raise StudyNotReady(
                f"trial {number} has no per-example outcomes at {path}; it is not finished, or the file was removed: "
                f"`tasksearch check {self.folder} --repair`, then `tasksearch resume` makes them again"
            )
        found = read_outcomes(path)
        for own in (self.folder / "additions").glob(f"{number:04d}.[0-9]*.json"):
            added = _read(own, TrialRecord.from_json)
            if added.status == "done":
                found = {**read_outcomes(self.outcomes_path(number, added.addition)), **found}
                if added.role in BASELINES:  # a baseline cell counts only when every seed has it
                    told = {(s.target, s.language, s.half) for r in self.records() if r.number == number for s in r.scores}
                    found = {cell: table for cell, table in found.items() if cell in told}
        return found

    def write_documents(self, numbers: Mapping[Cell, NDArray[np.int64]]) -> None:
        """Write document numbers, arrays of shape (n,), keeping those of other cells."""
        from safetensors.numpy import save

        for target in sorted({cell[0] for cell in numbers}):
            new = {cell: array for cell, array in numbers.items() if cell[0] == target}
            table = self._documents_of(target) | new
            arrays = {"/".join(cell): np.ascontiguousarray(table[cell], dtype=np.int64) for cell in sorted(table)}
            write_atomic(self._documents_path(target), save(arrays))

    def documents(self) -> dict[Cell, NDArray[np.int64]]:
        """Return the document number of each example, in the order of the outcomes.

        Empty for a study begun before they were recorded. Within a target, equal numbers denote the same document in every
        language.
        """
        paths = sorted((self.folder / "documents").glob("*.safetensors"))
        return {cell: array for path in paths for cell, array in self.read_documents(path).items()}

    def lacks_documents(self, cells: Iterable[Cell]) -> bool:
        """Whether some of these cells, all of one target, have no document numbers yet."""
        wanted = set(cells)
        return bool(wanted - self._documents_of(next(iter(wanted))[0]).keys()) if wanted else False

    def _documents_path(self, target: str) -> Path:
        return self.folder / "documents" / f"{quote(target, safe='')}.safetensors"

    def _documents_of(self, target: str) -> dict[Cell, NDArray[np.int64]]:
        path = self._documents_path(target)
        return self.read_documents(path) if path.exists() else {}

    def read_documents(self, path: Path) -> dict[Cell, NDArray[np.int64]]:
        """Read one file of `documents/`; raises Damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            return {cell_of(name): array for name, array in load(read_file(path)).items()}
        except (SafetensorError, ValueError) as error:
            raise Damaged(f"{path} is damaged ({error}); move it away, and intervals are no longer clustered") from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Own the folder as its only driver; the operating system releases the lock when the process ends in any way.

        Raises:
            StudyBusy: another driver owns it.
            BadInput: the folder cannot be written.
        """
        owner = self.folder / "driver.owner.json"
        make_folder(self.folder)
        try:
            self._lock.acquire()
        except Timeout:
            raise StudyBusy(f"study folder {self.folder} is in use by {_owner(owner)}; wait for it, or stop it first") from None
        except OSError as fault:
            raise BadInput(f"study folder {self.folder} cannot be written: {fault.strerror or fault} ({owner.name})") from None
        try:
            write_atomic(owner, _json_bytes({"pid": os.getpid(), "host": socket.gethostname()}))
            yield
        finally:
            self._lock.release()


def _config(data: Mapping[str, Any]) -> StudyConfig:
    return StudyConfig.from_json({key: value for key, value in data.items() if key != "history"})


def _history(data: Mapping[str, Any]) -> list[StudyConfig]:
    return [StudyConfig.from_json(one) for one in data.get("history", ())]


def _json_bytes(data: Any) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _read(path: Path, from_json: Callable[[Any], _T]) -> _T:
    return _parsed(path, read_file(path), from_json)


def _parsed(path: Path, content: bytes, from_json: Callable[[Any], _T]) -> _T:
    data = parse_checked(path, content)
    try:
        return from_json(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is damaged or of another version: {type(error).__name__}: {error}") from error


def _numbered(path: Path, record: TrialRecord) -> TrialRecord:
    if record.number != _number(path):
        raise BadInput(f"{path} holds the record of trial {record.number}; expected that of trial {_number(path)}")
    return record


def _number(path: Path) -> int:
    return int(path.stem)


def _owner(path: Path) -> str:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return f"process {data['pid']} on {data['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
