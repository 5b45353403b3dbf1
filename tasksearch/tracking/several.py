"""`SeveralTrackers`: one tracker that passes every call on to several, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.tracking.port import Tracker


class SeveralTrackers:
    """Passes every call on. A call that one of them failed is repeated for all, which changes nothing where it succeeded."""

    def __init__(self, *trackers: Tracker) -> None:
        self._trackers = trackers

    def open_study(self, config: StudyConfig, tags: Mapping[str, str]) -> Sequence[str]:
        """Open it at all of them; returns what any had to mend."""
        return [line for tracker in self._trackers for line in tracker.open_study(config, tags)]

    def write_trial(self, record: TrialRecord, artefacts: Mapping[str, Path]) -> None:
        """Write the trial to all of them."""
        for tracker in self._trackers:
            tracker.write_trial(record, artefacts)

    def close_study(self, summary: Mapping[str, float | str], artefacts: Mapping[str, Path], *, complete: bool) -> None:
        """Close it at all of them."""
        for tracker in self._trackers:
            tracker.close_study(summary, artefacts, complete=complete)
