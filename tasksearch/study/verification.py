"""`verify_study`: check that a study's folder is complete and consistent, and repair what can be repaired.

The records are authoritative, and outcomes are their evidence: a record that contradicts its outcomes is trained again; an
Optuna study or MLflow runs that contradict the records are written again.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tasksearch.core.checksum import is_damaged, read_checked
from tasksearch.core.errors import BadInput, Damaged, StudyNotReady, TasksearchError
from tasksearch.core.study import BASELINES, StudyConfig, TrialRecord
from tasksearch.study.locations import optuna_address, store_address, study_id, tracking_address
from tasksearch.study.moved import rebase
from tasksearch.tasks.labels import suite_with_labels
from tasksearch.tracking.address import default_uri
from tasksearch.tracking.client import forget_places
from tasksearch.tracking.database import is_damaged as file_is_damaged
from tasksearch.tracking.database import rebase_artefacts

_AGREE = 1e-3
"""Tolerance in points between a score and its outcomes' ratio: outcomes are stored in single precision."""
_SIDE_FILES = {
    "sizes.json": "`tasksearch resume` writes it again",
    "ended.json": "`tasksearch resume` writes it again",
    "versions.json": "`tasksearch resume` writes down the versions that it meets",
    "skipped.json": "`tasksearch resume` writes it again",
    "pretraining_text.json": "`tasksearch resume` writes it again",
    "readings.json": "what is read from now on counts as adaptive",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One problem in a study.

    Attributes:
        place: a file, relative to the study's folder, or a trial in Optuna or MLflow.
        problem: what is wrong.
        mended: how it was repaired; empty if it was not.
    """

    place: str
    problem: str
    mended: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}" + (f"; {self.mended}" if self.mended else "")


def verify_study(folder: Path, *, repair: bool = False) -> list[Finding]:
    """Check every file of a study; repair what can be repaired if `repair` is True.

    Args:
        folder: the study's folder.
        repair: set damaged files aside, mark self-contradicting trials for training again (by `tasksearch resume`), and write
            the Optuna study and the MLflow runs again from the records.

    Raises:
        StudyNotReady: the folder holds no study.
        StudyBusy: `repair` is True and a driver is using the folder.
        BadInput: neither `study.json` nor its copy can be read.
    """
    from tasksearch.records.ledger import Ledger

    ledger = Ledger(folder)
    config = ledger.config()
    with ledger.lock() if repair else nullcontext():
        check = _Check(ledger, config, repair)
        return [*check.files(), *check.records(), *check.outcomes(), *check.objectives(), *check.store(), *check.mirrors()]


class _Check:
    """One check of a study; each method yields what it finds."""

    def __init__(self, ledger: Any, config: StudyConfig, repair: bool) -> None:
        self._ledger, self._config, self._repair = ledger, config, repair
        self._folder: Path = ledger.folder
        self._suite = suite_with_labels(config.suite, config.data)

    def files(self) -> Iterator[Finding]:
        """Check `study.json`, its copy, and the files beside the records."""
        for path in self._ledger.config_paths:
            if path.exists() and is_damaged(path):
                yield self._finding(path, "is damaged", self._ledger.mend_config, "written again from its copy")
        if not self._ledger.config_paths[0].exists():
            yield self._finding(
                self._ledger.config_paths[0], "is gone", self._ledger.mend_config, "written again from its copy"
            )
        for line in rebase(self._ledger) if self._repair else ():
            yield Finding(place="study.location", problem=line, mended="its paths were rewritten")
        for name, then in _SIDE_FILES.items():
            path = self._folder / name
            if path.exists():
                yield from self._readable(path, lambda path=path: read_checked(path), then)  # type: ignore[misc]
        for path in sorted((self._folder / "documents").glob("*.safetensors")):
            read = lambda path=path: self._ledger.read_documents(path)  # noqa: E731
            yield from self._readable(path, read, "`tasksearch resume` writes it again with the next trial")

    def _readable(self, path: Path, read: Callable[[], Any], then: str) -> Iterator[Finding]:
        try:
            read()
        except Damaged:
            yield self._finding(path, "is damaged", lambda: self._ledger.set_aside(path), f"put aside: {then}")
        except BadInput as fault:
            yield Finding(place=self._short(path), problem=str(fault))

    def records(self) -> Iterator[Finding]:
        """Check for damaged and missing records."""
        again = "put aside: `tasksearch resume` trains it again"
        additions = sorted((self._folder / "additions").glob("[0-9]*.json"))
        for path in (*self._ledger.record_paths(), *additions):
            if is_damaged(path):
                yield self._finding(path, "is damaged", lambda path=path: self._ledger.set_aside(path), again)  # type: ignore[misc]
                continue
            try:
                TrialRecord.from_json(read_checked(path))
            except (BadInput, ValueError, KeyError, TypeError, AttributeError) as fault:
                yield Finding(place=self._short(path), problem=f"is of another version: {fault}")
        from tasksearch.records.holes import missing_numbers

        there = {int(path.stem) for path in self._ledger.record_paths() if not is_damaged(path)}
        waiting = set(self._ledger.put_aside())
        for number in missing_numbers(self._ledger, there):
            path = self._ledger.record_path(number)
            if number in waiting or path.exists():
                yield Finding(place=self._short(path), problem="was put aside", mended="`tasksearch resume` trains it again")
            else:
                yield self._finding(path, "is gone", lambda n=number: self._ledger.forget(n), again)  # type: ignore[misc]

    def _whole(self) -> list[TrialRecord]:
        """Return the records that can be read, in the order of their numbers."""
        found = []
        for path in self._ledger.record_paths():
            try:
                found.append(TrialRecord.from_json(read_checked(path)))
            except (BadInput, ValueError, KeyError, TypeError, AttributeError):
                continue
        return found

    def _additions(self) -> dict[int, list[TrialRecord]]:
        try:
            return dict(self._ledger.additions())
        except BadInput:
            return {}

    def outcomes(self) -> Iterator[Finding]:
        """Compare per-example outcomes, of selection and reporting examples, with the score tables."""
        every = [*self._whole(), *(one for own in self._additions().values() for one in own)]
        for record in every:
            if record.status != "done":
                continue
            path = self._ledger.outcomes_path(record.number, record.addition)
            if problem := _contradiction(record, path):
                yield self._finding(
                    path,
                    problem,
                    partial(self._again, record, path),
                    "put aside: `tasksearch resume` trains it again",
                )

    def _again(self, record: TrialRecord, path: Path) -> None:
        if path.exists():
            self._ledger.set_aside(path)
        if record.addition:
            self._ledger.set_aside(self._ledger.record_path(record.number, record.addition))
        else:
            self._ledger.forget(record.number)

    def objectives(self) -> Iterator[Finding]:
        """Compare objectives with those computed from the baseline and the scores."""
        records = self._whole()
        for role in BASELINES:
            bare = [record for record in records if record.role == role][: self._config.baseline_seeds]
            if len(bare) == self._config.baseline_seeds and all(record.status != "running" for record in bare):
                yield from self._objectives_against(bare, records)

    def _objectives_against(self, bare: list[TrialRecord], records: list[TrialRecord]) -> Iterator[Finding]:
        """Compare the objectives of the trainings that ran the baseline's share of the target steps."""
        from tasksearch.search.fidelity import at_share
        from tasksearch.search.objective import Baseline, objective

        try:
            baseline = Baseline.of(bare)
        except StudyNotReady:
            return
        first = (self._ledger.history() or [self._config])[0]
        for record in at_share(records, baseline.share):
            if record.status != "done" or record.objective is None:
                continue
            try:
                value = objective(record.scores, baseline, self._suite.groups, first.objective)
            except TasksearchError:
                continue
            if abs(value - record.objective) > 1e-9 * max(1.0, abs(value)):
                yield self._finding(
                    self._ledger.record_path(record.number),
                    f"objective {record.objective}, its scores come to {value}",
                    lambda r=record: self._ledger.forget(r.number),  # type: ignore[misc]
                    "put aside: `tasksearch resume` trains it again",
                )

    def store(self) -> Iterator[Finding]:
        """Compare segments with their manifests, if the store is on this machine."""
        from tasksearch.store.eviction import verify
        from tasksearch.store.remote import open_store

        try:
            address = store_address(self._folder)
            if "://" in address or not Path(address).is_dir():
                return
            store = open_store(address)
            damaged = verify(store)
        except TasksearchError as fault:
            yield Finding(place="store", problem=str(fault))
            return
        for name in damaged:
            yield self._finding(
                store.folder(name),
                "is damaged",
                partial(store.discard, name),
                "removed: trained again when needed",
            )

    def mirrors(self) -> Iterator[Finding]:
        """Compare Optuna and MLflow with the records; skipped while records are missing, since a resume will update both."""
        records = self._whole()
        if not records or [record.number for record in records] != list(range(len(records))):
            return
        yield from self._optuna(records)
        yield from self._mlflow(records)

    def _optuna(self, records: Sequence[TrialRecord]) -> Iterator[Finding]:
        from tasksearch.engine.optuna_database import OptunaDatabase
        from tasksearch.engine.optuna_storage import mirror_faults, rebuild_journal
        from tasksearch.records.additions import asked

        path, config = self._ledger.optuna_path, self._config
        told = asked(records, config) if self._ledger.history() else list(records)

        def rebuild() -> None:
            rebuild_journal(told, config.space, path, config.optuna_name)

        try:
            url = optuna_address(self._folder)
            name = (
                OptunaDatabase(url=url, study=study_id(self._folder, config.name)).name_of(config)
                if url
                else config.optuna_name
            )
            faults = mirror_faults(told, config.space, path, name, url)
        except TasksearchError as fault:
            mine = not (self._folder / "optuna.location").exists()
            yield self._finding(path, str(fault), rebuild if mine else None, "written again from the records")
            return
        if faults:
            problem = f"{_listed(faults)} differ from the records"
            yield self._finding(path, problem, None if url else rebuild, "written again from the records")

    def _mlflow(self, records: Sequence[TrialRecord]) -> Iterator[Finding]:
        from tasksearch.records.additions import joined
        from tasksearch.tracking.entries import View
        from tasksearch.tracking.lookup import run_faults
        from tasksearch.tracking.mlflow import MlflowTracker

        config, suite, additions = self._config, self._suite, self._additions()
        shown = [joined(r, own, config) if (own := additions.get(r.number)) else r for r in records]
        finished = [r for r in shown if r.status in ("stopped", "failed") or r.objective is not None]
        uri = tracking_address(config) or default_uri(self._folder)
        if uri == default_uri(self._folder) and not (self._folder / "mlflow.db").exists():
            return
        if uri == default_uri(self._folder):
            yield from self._artefacts()
        own_id = study_id(self._folder, config.name)
        tracker = MlflowTracker(uri, self._folder, own_id, groups=suite.groups, language_groups=suite.language_groups)
        view = View(tasks=config.space.tasks, groups=suite.groups, language_groups=suite.language_groups)
        by_number = {record.number: record for record in finished}

        def mend(numbers: Iterable[int]) -> None:
            tracker.open_study(config, {})
            for number in numbers:
                tracker.rewrite_trial(by_number[number], self._ledger.curve_files(number))
            tracker.close_study({}, {}, complete=self._ledger.ended() == (config, len(records)))

        try:
            faults = run_faults(uri, config.name, own_id, finished, view)
        except TasksearchError as fault:
            yield self._finding(Path("MLflow"), str(fault), lambda: mend(by_number), "written again from the records")
            return
        if faults:
            problem = f"{_listed(faults)} differ from the records"
            yield self._finding(Path("MLflow"), problem, lambda: mend(faults), "written again from the records")

    def _artefacts(self) -> Iterator[Finding]:
        """Check that the study's own MLflow database names artifacts where they are; after a move it names the old folder."""
        file, folder = self._folder / "mlflow.db", self._folder / "mlartifacts"
        if file_is_damaged(file):
            return
        try:
            had = rebase_artefacts(file, folder, look=not self._repair)
        except sqlite3.Error as fault:
            yield Finding(place=file.name, problem=str(fault))
            return
        if had is not None:
            told = Finding(place=file.name, problem=f"names its files in {had}, where the study stood before")
            forget_places()
            yield dataclasses.replace(told, mended="they are named where they are") if self._repair else told

    def _finding(self, path: Path, problem: str, mend: Callable[[], Any] | None, mended: str) -> Finding:
        """Repair the problem if that is requested and possible, and return the finding."""
        place = self._short(path)
        if not self._repair or mend is None:
            return Finding(place=place, problem=problem)
        try:
            mend()
        except (TasksearchError, OSError) as fault:
            return Finding(place=place, problem=f"{problem} (and cannot be mended: {fault})")
        return Finding(place=place, problem=problem, mended=mended)

    def _short(self, path: Path) -> str:
        return str(path.relative_to(self._folder)) if path.is_relative_to(self._folder) else str(path)


def _contradiction(record: TrialRecord, path: Path) -> str:
    """Return how the outcomes contradict the scores; empty if they agree."""
    from tasksearch.records.outcomes import read_outcomes

    if not path.exists():
        return "is gone"
    try:
        found = read_outcomes(path)
    except BadInput as fault:
        return str(fault)
    told = {(s.target, s.language, s.half): s for s in record.scores}
    for cell in sorted(told.keys() | found.keys()):
        name = f"trial {record.number}, {'/'.join(cell)}"
        if cell not in found or cell not in told:
            return f"{name}: {'no outcomes' if cell not in found else 'outcomes without a score'}"
        table, score = found[cell], told[cell]
        right, of = (float(column) for column in table.sum(axis=0, dtype="float64"))
        counted = 100 * right / of if of else float("nan")
        if not abs(counted - score.value) <= _AGREE:
            return f"{name}: outcomes come to {counted:.4f}, the score is {score.value:.4f}"
    return ""


def _listed(faults: Mapping[int, str]) -> str:
    """Format as `trials 3 (absent), 5 (…) and 4 more`."""
    shown = ", ".join(f"{number} ({problem})" for number, problem in sorted(faults.items())[:3])
    return f"trial {shown}" + (f" and {len(faults) - 3} more" if len(faults) > 3 else "")
