"""Runs that were made twice: a server that carried `create_run` out and whose answer was lost was asked again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

KEY = "tasksearch.trial"
"""The tag by which a run is found again; the parent run carries the study's id alone."""

RECORD = "tasksearch.record"
"""The tag written last: the trial is wholly there, as the record of that hash has it."""


def by_key(runs: Iterable[Any]) -> tuple[dict[str, Any], list[Any]]:
    """MLflow runs by their keys, and those to be deleted: of two of one key the whole one stays, else the one made first."""
    kept: dict[str, Any] = {}
    doubles = []
    for run in sorted(runs, key=_rank):
        key = run.data.tags.get(KEY)
        if key is not None and kept.setdefault(key, run) is not run:
            doubles.append(run)
    return kept, doubles


def _rank(run: Any) -> tuple[bool, int, str]:
    return RECORD not in run.data.tags, int(run.info.start_time or 0), str(run.info.run_id)
