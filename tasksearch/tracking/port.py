"""The tracker port: the calls by which the driver writes a study to any tracker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tasksearch.core.study import StudyConfig, TrialRecord


class Tracker(Protocol):
    """One writer per study. Every call is idempotent: twice leaves the same state as once."""

    def open_study(self, config: StudyConfig, tags: Mapping[str, str]) -> Sequence[str]:
        """Creates or finds the study's experiment and its parent run; returns what had to be mended, a line each."""

    def write_trial(self, record: TrialRecord, artefacts: Mapping[str, Path]) -> None:
        """Create or complete the trial's child run. Only finished trials (done, stopped, failed) are written.

        Args:
            artefacts: name → file. That named `core.learning_curve.CURVES` becomes stepped metrics; others are kept as files.
        """

    def close_study(self, summary: Mapping[str, float | str], artefacts: Mapping[str, Path], *, complete: bool) -> None:
        """Write the study's summary to the parent run; `complete=False` leaves it open for a resume.

        Args:
            summary: numbers become metrics, texts tags; `description` is shown on the study's page, below its warning.
        """
