"""`MemoryTracker`: a tracker that keeps everything in memory, for tests and notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.tracking.entries import TrackedTrial, View, entry_of, study_params


@dataclass(kw_only=True)
class MemoryTracker:
    """Keeps everything that is written to it.

    Attributes:
        study_id: as in the keys of its trials.
        view: how trials are shown; the tasks are taken from the study's space when it is opened.
        params, tags: of the study.
        trials: number → entry.
        artefacts: number → names of the files written beside it; the study's own under -1.
        summary: of the study at its end.
        status: None before the study is opened, then MLflow's status of the parent run.
    """

    study_id: str = "study"
    view: View = field(default_factory=View)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    trials: dict[int, TrackedTrial] = field(default_factory=dict)
    artefacts: dict[int, set[str]] = field(default_factory=dict)
    summary: dict[str, float | str] = field(default_factory=dict)
    status: str | None = None

    def open_study(self, config: StudyConfig, tags: Mapping[str, str]) -> list[str]:
        """Creates or finds the study; nothing is ever to be mended."""
        self.view = View(tasks=config.space.tasks, groups=self.view.groups, language_groups=self.view.language_groups)
        self.params, self.status = study_params(config), "RUNNING"
        self.tags |= tags
        return []

    def write_trial(self, record: TrialRecord, artefacts: Mapping[str, Path]) -> None:
        """Create or complete the trial."""
        assert self.status is not None, "write_trial before open_study"
        assert record.status != "running", f"trial {record.number} is not finished"
        self.trials[record.number] = entry_of(record, self.study_id, self.view)
        self.artefacts.setdefault(record.number, set()).update(artefacts)

    def close_study(self, summary: Mapping[str, float | str], artefacts: Mapping[str, Path], *, complete: bool) -> None:
        """Write the study's summary."""
        assert self.status is not None, "close_study before open_study"
        self.summary |= summary
        self.artefacts.setdefault(-1, set()).update(artefacts)
        self.status = "FINISHED" if complete else "RUNNING"
