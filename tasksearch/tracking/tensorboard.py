"""`TensorBoardTracker`: a study as TensorBoard reads it, from files alone: one run per trial.

Event files are appended to, and an equal point written twice is shown twice. So a trial's folder is written anew under a
temporary name and renamed, and left alone where its `trial.json` says the same.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasksearch.core.atomic import make_folder, write_atomic
from tasksearch.core.errors import DiskFull, Refused, no_room
from tasksearch.core.learning_curve import CURVES, read_curves
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.tracking.curve_points import curve_points
from tasksearch.tracking.entries import View, entry_of, study_params

FOLDER = "tensorboard"
"""Name of the files' folder in the study's."""
STUDY, TRIAL = "study.json", "trial.json"


class TensorBoardTracker:
    """Writes `FOLDER/<number>/` with scalars and hyperparameters; what TensorBoard has no place for stands in `trial.json`.

    Args:
        folder: of all event files.
        study_id: as in the keys of its trials.
        view: how trials are shown; the tasks are taken from the study's space when it is opened.
    """

    def __init__(self, folder: Path, study_id: str, view: View | None = None) -> None:
        self._folder, self._study_id, self._view = folder, study_id, view or View()
        self._told: dict[str, Any] | None = None

    def open_study(self, config: StudyConfig, tags: Mapping[str, str]) -> list[str]:
        """Creates or finds the study; nothing is ever to be mended."""
        self._view = View(tasks=config.space.tasks, groups=self._view.groups, language_groups=self._view.language_groups)
        make_folder(self._folder)
        self._told = _read(self._folder / STUDY) or {"summary": {}}
        self._told |= {"params": study_params(config), "tags": dict(tags), "status": "RUNNING"}
        self._save()
        return []

    def write_trial(self, record: TrialRecord, artefacts: Mapping[str, Path]) -> None:
        """Create or complete the trial's folder."""
        assert self._told is not None, "write_trial before open_study"
        assert record.status != "running", f"trial {record.number} is not finished"
        entry = entry_of(record, self._study_id, self._view)
        curves = read_curves(artefacts[CURVES]) if CURVES in artefacts else {}
        told = {
            "status": entry.status,
            "started": entry.started,
            "ended": entry.ended,
            "params": dict(entry.params),
            "metrics": dict(entry.metrics),
            "tags": dict(entry.tags),
            "curves": sorted(curves),
        }
        final = self._folder / f"{record.number:04d}"
        if _read(final / TRIAL) == told:
            return
        temporary = self._folder / f".{record.number:04d}.new"
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            points = [(name, value, 0) for name, value in entry.metrics.items()] + [*curve_points(curves, record.scores)]
            _write_events(temporary, points, entry.params, at=entry.ended / 1000)
            write_atomic(temporary / TRIAL, _json(told))
            shutil.rmtree(final, ignore_errors=True)
            temporary.rename(final)
        except OSError as fault:
            if no_room(fault):
                raise DiskFull(f"no room left for {self._folder}; `tasksearch resume` goes on") from None
            raise Refused(f"{self._folder} cannot be written: {fault.strerror or fault}") from None

    def close_study(self, summary: Mapping[str, float | str], artefacts: Mapping[str, Path], *, complete: bool) -> None:
        """Write the study's summary; files of the study stay in its folder."""
        assert self._told is not None, "close_study before open_study"
        self._told["summary"] |= summary
        self._told["status"] = "FINISHED" if complete else "RUNNING"
        self._save()

    def _save(self) -> None:
        write_atomic(self._folder / STUDY, _json(self._told))


def _write_events(folder: Path, points: list[tuple[str, float, int]], params: Mapping[str, str], *, at: float) -> None:
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(folder), write_to_disk=True) as writer:
        for name, value, step in points:
            writer.add_scalar(name, value, step, walltime=at)
        writer.add_text("params", "\n".join(f"    {name}: {value}" for name, value in params.items()), walltime=at)


def _json(told: Any) -> bytes:
    return (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}
