"""`Ledger`: the study folder's records, the truth that Optuna and MLflow mirror.

study.json                         what is asked for (`StudyConfig`), and under `history` what was before the study grew
sizes.json                         training examples of every intermediate task
trials/0007.json                   what came of it (`TrialRecord`)
trials/0007.log                    what the process that trained it logged; `driver.log` is the driver's
trials/0007.outcomes.safetensors   per-example outcomes, one array per "target/language/half"
additions/0007.1.json              what the trial gained when the study grew (`search.growth`), its outcomes beside it
documents/nli.safetensors          number of each example's document, in the same order; written once per study and target
ended.json                         what was asked for when nothing was left to run, and how many trials there were
optuna.journal                     the mirror that optuna-dashboard opens
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from tasksearch.core.atomic import make_folder, write_atomic
from tasksearch.core.errors import BadInput, StudyBusy, StudyNotReady
from tasksearch.core.own_files import FOLDER, look_in
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.records.outcomes import Cell, Outcomes, cell_of, outcome_bytes, read_outcomes

_T = TypeVar("_T")


class Ledger:
    """One study folder. One driver at a time writes records; workers write outcomes, each its own trial's."""

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
        """Where score tables are kept for quick reading; nothing is lost with it."""
        return self.folder / "cache" / "scores.safetensors"

    def record_path(self, number: int, addition: int = 0) -> Path:
        """Where the record of that trial, or of an addition to it, lies."""
        name = f"{number:04d}.{addition}.json" if addition else f"{number:04d}.json"
        return (self.folder / "additions" if addition else self.trials_path) / name

    def outcomes_path(self, number: int, addition: int = 0) -> Path:
        """Where the per-example outcomes of that trial, or of an addition to it, lie."""
        return self.record_path(number, addition).with_suffix(".outcomes.safetensors")

    def log_path(self, number: int, addition: int = 0) -> Path:
        """Where the process that trains that trial, or makes an addition to it, writes its log."""
        return self.record_path(number, addition).with_suffix(".log")

    def save_config(self, config: StudyConfig) -> None:
        """Writes `study.json`; the history stays as it is."""
        self._save(config, self.history())

    def extend_config(self, config: StudyConfig) -> None:
        """Writes `study.json`, and what it was until now into its history: both or neither."""
        self._save(config, [*self.history(), self.config()])

    def _save(self, config: StudyConfig, history: Sequence[StudyConfig]) -> None:
        past = {"history": [one.to_json() for one in history]} if history else {}
        write_atomic(self.folder / "study.json", _json_bytes(config.to_json() | past))

    def history(self) -> list[StudyConfig]:
        """What the study was asked for before it grew, the oldest first; empty for one that did not."""
        path = self.folder / "study.json"
        return _read(path, _history) if path.exists() and not is_cut(path) else []

    def config(self) -> StudyConfig:
        """Reads `study.json`.

        Raises:
            StudyNotReady: the folder holds no study.
            BadInput: the file is not a study of this version.
        """
        path = self.folder / "study.json"
        if not path.exists():
            raise StudyNotReady(f"no study in {self.folder}; expected a folder with study.json, as `tasksearch run` makes it")
        if is_cut(path):
            raise BadInput(f"{path} was cut short; give the command that began the study again: its trials are kept")
        look_in(self.folder / FOLDER)
        return _read(path, _config)

    def absent(self) -> frozenset[str]:
        """Fields of `StudyConfig` that `study.json` lacks: an earlier version, which did not have them, began the study.

        None where there is no such file, or a part of it.
        """
        path = self.folder / "study.json"
        if not path.exists() or is_cut(path):
            return frozenset()
        written = _read(path, dict)
        return frozenset(field.name for field in dataclasses.fields(StudyConfig)) - written.keys()

    def save_end(self, config: StudyConfig, trials: int) -> None:
        """Writes that the study lacked nothing of what was asked for, with so many trials."""
        if not self.has_ended(config, trials):
            write_atomic(self.folder / "ended.json", _json_bytes({"study": config.to_json(), "trials": trials}))

    def has_ended(self, config: StudyConfig, trials: int) -> bool:
        """Whether it lacked nothing once, with so many trials: a later version, which might propose more, leaves it at that."""
        path = self.folder / "ended.json"
        if not path.exists() or is_cut(path):
            return False
        return _read(path, lambda data: (data["trials"], _config(data["study"])) == (trials, config))

    def save_sizes(self, sizes: Mapping[str, int]) -> None:
        """Writes task → training examples."""
        write_atomic(self.folder / "sizes.json", _json_bytes(dict(sorted(sizes.items()))))

    def sizes(self) -> dict[str, int]:
        """Task → training examples; empty for a study that was begun before these were kept."""
        path = self.folder / "sizes.json"
        return _read(path, lambda data: {str(task): int(size) for task, size in data.items()}) if path.exists() else {}

    def write(self, record: TrialRecord) -> None:
        """Writes one trial's record or addition, whole or not at all."""
        write_atomic(self.record_path(record.number, record.addition), _json_bytes(record.to_json()))

    def records(self) -> list[TrialRecord]:
        """Every trial's record, with what the study gave it when it grew; in the order of their numbers."""
        from tasksearch.records.additions import grown

        return grown(self.written(), self.additions(), self.config()) if self.history() else self.written()

    def additions(self) -> dict[int, list[TrialRecord]]:
        """Trial number → its additions, in their order."""
        found: dict[int, list[TrialRecord]] = {}
        for path in (self.folder / "additions").glob("[0-9]*.[0-9]*.json"):
            record = _read(path, TrialRecord.from_json)
            found.setdefault(record.number, []).append(record)
        return {number: sorted(own, key=lambda one: one.addition) for number, own in found.items()}

    def written(self) -> list[TrialRecord]:
        """Every trial's record as it was written; a temporary file of a crashed writer is no record.

        Score tables of a big study are kept in `cache/`, named by the records' content (`search.columns`).
        """
        from tasksearch.records.score_columns import LEAST, digest, read_anew, read_cache, record_of, write_cache

        paths = sorted(self.trials_path.glob("[0-9]*[0-9].json"), key=_number)
        if len(paths) < LEAST:
            return [_read(path, TrialRecord.from_json) for path in paths]
        cache, names, new, records = read_cache(self.cache_path), list[str](), dict[str, Any](), list[TrialRecord]()
        for path in paths:
            content = path.read_bytes()
            name = digest(content)
            names.append(name)
            if name in cache:
                records.append(record_of(cache[name]))
            else:
                record, new[name] = _parsed(path, content, read_anew)
                records.append(record)
        if len(new) > len(paths) // 20:
            write_cache(self.cache_path, {name: entry for name in names if (entry := new.get(name) or cache.get(name))})
        return records

    def mend(self) -> None:
        """Puts records that were cut short aside, as `<name>.damaged`; those of another version are left as they are.

        Only under the folder's lock. A trial whose record is damaged is proposed and run again, to the same numbers.
        """
        for path in (*self.trials_path.glob("[0-9]*[0-9].json"), *(self.folder / "additions").glob("[0-9]*.json")):
            if is_cut(path):
                path.replace(path.with_name(f"{path.name}.damaged"))

    def put_aside(self) -> list[int]:
        """Numbers of the trials whose records were damaged and are not back."""
        aside = [_number(path.with_suffix("")) for path in self.trials_path.glob("[0-9]*[0-9].json.damaged")]
        return sorted(number for number in aside if not self.record_path(number).exists())

    def outcomes_are_damaged(self, number: int) -> bool:
        """Whether the file of per-example outcomes is there and shorter or longer than its header says."""
        try:
            with self.outcomes_path(number).open("rb") as file:
                return not _is_whole(file)
        except OSError:
            return False

    def write_outcomes(self, number: int, outcomes: Outcomes, addition: int = 0) -> None:
        """Writes the per-example outcomes of a trial, or of an addition to it, whole or not at all."""
        write_atomic(self.outcomes_path(number, addition), outcome_bytes(outcomes))

    def outcomes(self, number: int) -> dict[Cell, NDArray[np.float32]]:
        """Reads one trial's per-example outcomes, arrays of shape (n, 2), with those of its finished additions.

        Raises:
            StudyNotReady: the trial has none (yet).
        """
        path = self.outcomes_path(number)
        if not path.exists():
            raise StudyNotReady(
                f"trial {number} has no per-example outcomes at {path}; it is not finished, or the file was removed"
            )
        found = read_outcomes(path)
        for own in (self.folder / "additions").glob(f"{number:04d}.[0-9]*.json"):
            added = _read(own, TrialRecord.from_json)
            if added.status == "done":
                found = {**read_outcomes(self.outcomes_path(number, added.addition)), **found}
                if added.role == "baseline":  # a cell counts once every seed has it
                    told = {(s.target, s.language, s.half) for r in self.records() if r.number == number for s in r.scores}
                    found = {cell: table for cell, table in found.items() if cell in told}
        return found

    def write_documents(self, numbers: Mapping[Cell, NDArray[np.int64]]) -> None:
        """Adds document numbers, arrays of shape (n,), to those of other cells."""
        from safetensors.numpy import save

        for target in sorted({cell[0] for cell in numbers}):
            new = {cell: array for cell, array in numbers.items() if cell[0] == target}
            table = self._documents_of(target) | new
            arrays = {"/".join(cell): np.ascontiguousarray(table[cell], dtype=np.int64) for cell in sorted(table)}
            write_atomic(self._documents_path(target), save(arrays))

    def documents(self) -> dict[Cell, NDArray[np.int64]]:
        """The number of each example's document, in the order of the outcomes; empty for a study from before they were kept.

        Within a target equal numbers are one document, in every language.
        """
        paths = sorted((self.folder / "documents").glob("*.safetensors"))
        return {cell: array for path in paths for cell, array in self._read_documents(path).items()}

    def lacks_documents(self, cells: Iterable[Cell]) -> bool:
        """Whether some of these cells, of one target, have no document numbers yet."""
        wanted = set(cells)
        return bool(wanted - self._documents_of(next(iter(wanted))[0]).keys()) if wanted else False

    def _documents_path(self, target: str) -> Path:
        return self.folder / "documents" / f"{quote(target, safe='')}.safetensors"

    def _documents_of(self, target: str) -> dict[Cell, NDArray[np.int64]]:
        path = self._documents_path(target)
        return self._read_documents(path) if path.exists() else {}

    def _read_documents(self, path: Path) -> dict[Cell, NDArray[np.int64]]:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            return {cell_of(name): array for name, array in load(path.read_bytes()).items()}
        except SafetensorError as error:
            raise BadInput(f"{path} is damaged ({error}); move it away, and intervals are no longer clustered") from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Owns the folder as its one driver; the operating system frees it when the process ends, however it ends.

        Raises:
            StudyBusy: another driver owns it.
        """
        owner = self.folder / "driver.owner.json"
        make_folder(self.folder)
        try:
            self._lock.acquire()
        except Timeout:
            raise StudyBusy(f"study folder {self.folder} is in use by {_owner(owner)}; wait for it, or stop it first") from None
        try:
            write_atomic(owner, _json_bytes({"pid": os.getpid(), "host": socket.gethostname()}))
            yield
        finally:
            self._lock.release()


def is_cut(path: Path) -> bool:
    """Whether a JSON file of a study is there and was cut short: no JSON, whatever version wrote it."""
    try:
        json.loads(path.read_bytes().decode())
    except ValueError:
        return True
    except OSError:
        return False
    return False


def _config(data: Mapping[str, Any]) -> StudyConfig:
    return StudyConfig.from_json({key: value for key, value in data.items() if key != "history"})


def _history(data: Mapping[str, Any]) -> list[StudyConfig]:
    return [StudyConfig.from_json(one) for one in data.get("history", ())]


def _json_bytes(data: Any) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _read(path: Path, from_json: Callable[[Any], _T]) -> _T:
    return _parsed(path, path.read_bytes(), from_json)


def _parsed(path: Path, content: bytes, from_json: Callable[[Any], _T]) -> _T:
    try:
        return from_json(json.loads(content.decode()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is damaged or of another version: {type(error).__name__}: {error}") from error


def _is_whole(file: BinaryIO) -> bool:
    """A safetensors file: eight bytes with the length of the header, the header, the tensors without gaps."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if not 0 < length <= size - 8:
        return False
    try:
        header = json.loads(file.read(length))
        ends = [int(facts["data_offsets"][1]) for name, facts in header.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return size == 8 + length + max(ends, default=0)


def _number(path: Path) -> int:
    return int(path.stem)


def _owner(path: Path) -> str:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return f"process {data['pid']} on {data['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
