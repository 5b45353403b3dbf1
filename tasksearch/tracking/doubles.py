"""Duplicate runs: a server had executed `create_run`, its answer was lost, and the call was repeated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

KEY = "tasksearch.trial"
"""The tag by which a run is found again; the parent run's is the study's id alone."""

RECORD = "tasksearch.record"
"""The tag written last: the run has everything of the record with that hash."""


def by_key(runs: Iterable[Any]) -> tuple[dict[str, Any], list[Any]]:
    """Sort MLflow runs into those kept, by key, and duplicates to delete: the complete one is kept, else the first."""
    kept: dict[str, Any] = {}
    doubles = []
    for run in sorted(runs, key=_rank):
        key = run.data.tags.get(KEY)
        if key is not None and kept.setdefault(key, run) is not run:
            doubles.append(run)
    return kept, doubles


def _rank(run: Any) -> tuple[bool, int, str]:
    return RECORD not in run.data.tags, int(run.info.start_time or 0), str(run.info.run_id)
