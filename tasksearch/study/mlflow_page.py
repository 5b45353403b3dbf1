"""`open_page`: the MLflow page of a study, with a link that compares its best runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksearch.core.errors import StudyNotReady
from tasksearch.core.study import SEARCHED, TrialRecord
from tasksearch.study.best import open_study
from tasksearch.study.locations import study_id, tracking_address


@dataclass(frozen=True, kw_only=True)
class MLflowPage:
    """A page that is being served: the link that compares the best runs, the link to all runs, and the server."""

    compare: str
    runs: str
    server: Any


def best_of_each(records: Sequence[TrialRecord], most: int) -> list[TrialRecord]:
    """Return at most `most` trials of the search: the best of every kind of schedule, then the second best, and so on.

    Ranked by objective, which uses selection examples only. The result is sorted by kind, then by objective.
    """
    kinds: dict[str, list[TrialRecord]] = {}
    judged = [record for record in records if record.objective is not None and record.role in SEARCHED]
    for record in sorted(judged, key=lambda r: (-(r.objective or 0.0), r.number)):
        kinds.setdefault(_kind(record), []).append(record)
    turns = [(place, -(record.objective or 0.0), record) for members in kinds.values() for place, record in enumerate(members)]
    chosen = [record for *_, record in sorted(turns, key=lambda turn: turn[:2])[:most]]
    return sorted(chosen, key=lambda r: (_kind(r), -(r.objective or 0.0), r.number))


def _kind(record: TrialRecord) -> str:
    return "single" if len(record.plan.schedule.tasks) == 1 else record.plan.schedule.kind


@contextmanager
def open_page(folder: Path, *, port: int | None = None, best: int = 6) -> Iterator[MLflowPage]:
    """Serve the study's MLflow page on loopback until the block ends.

    Raises:
        StudyNotReady: there are fewer than two trials to compare.
        BadInput, Unreachable: from the server.
    """
    from tasksearch.tracking.address import default_uri
    from tasksearch.tracking.database import rebase_artefacts
    from tasksearch.tracking.lookup import find_runs
    from tasksearch.tracking.server import compare_link, experiment_link, serve_ui

    config, _, records = open_study(folder)
    leaders = best_of_each(records, best)
    if len(leaders) < 2:
        raise StudyNotReady(f"{folder} has {len(leaders)} finished trials beside the baseline; expected at least 2 to compare")
    uri = tracking_address(config) or default_uri(folder)
    if (file := folder / "mlflow.db").exists() and uri == default_uri(folder):
        with suppress(sqlite3.Error):  # in a read-only folder the page still shows the runs, though not moved artifacts
            rebase_artefacts(file, folder.absolute() / "mlartifacts")
    experiment, runs = find_runs(uri, config.name, study_id(folder, config.name), [record.number for record in leaders])
    with serve_ui(uri, folder / "mlartifacts", port) as server:
        yield MLflowPage(
            compare=compare_link(server.url, experiment, runs),
            runs=experiment_link(server.url, experiment),
            server=server,
        )
