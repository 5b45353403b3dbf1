"""`open_page`: the MLflow page of a study, with links to its mixes, to the best ones side by side, and to all runs."""

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
    """A page that is being served, with its links.

    Attributes:
        mixes: charts of every mix of the search and its finalists: shares of all tasks, cost and scores.
        compare: a few runs side by side, number by number.
        runs: table of all runs.
        server: `tracking.server.Server`.
    """

    mixes: str
    compare: str
    runs: str
    server: Any


def compared(records: Sequence[TrialRecord], most: int) -> list[TrialRecord]:
    """Return the trials to be seen side by side: the best of the search, then one trial of every finalist.

    At most `most` are of the search: the best of every kind of schedule, then the second best, and so on, ranked by objective,
    which uses selection examples only. A finalist's mix is shown by its first fresh seed, never by its best one.
    """
    kinds: dict[str, list[TrialRecord]] = {}
    judged = [record for record in records if record.objective is not None]
    for record in sorted(judged, key=lambda r: (-(r.objective or 0.0), r.number)):
        if record.role in SEARCHED:
            kinds.setdefault(_kind(record), []).append(record)
    turns = [(place, -(record.objective or 0.0), record) for members in kinds.values() for place, record in enumerate(members)]
    chosen = [record for *_, record in sorted(turns, key=lambda turn: turn[:2])[:most]]
    chosen.sort(key=lambda r: (_kind(r), -(r.objective or 0.0), r.number))
    finalists: dict[str, TrialRecord] = {}
    for record in judged:
        if record.role == "finalist":
            finalists.setdefault(record.plan.mix_signature, record)
    return [*chosen, *finalists.values()]


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
    from tasksearch.tracking.client import searchable
    from tasksearch.tracking.database import rebase_artefacts
    from tasksearch.tracking.lookup import find_runs
    from tasksearch.tracking.server import compare_link, serve_ui, view_link
    from tasksearch.tracking.views import view_keys

    config, _, records = open_study(folder)
    leaders = compared(records, best)
    if len(leaders) < 2:
        raise StudyNotReady(f"{folder} has {len(leaders)} finished trials beside the baseline; expected at least 2 to compare")
    uri = tracking_address(config) or default_uri(folder)
    if (file := folder / "mlflow.db").exists() and uri == default_uri(folder):
        with suppress(sqlite3.Error):  # in a read-only folder the page still shows the runs, though not moved artifacts
            rebase_artefacts(file, folder.absolute() / "mlartifacts")
    own_id = study_id(folder, config.name)
    experiment, runs = find_runs(uri, config.name, own_id, [record.number for record in leaders])
    table, mixes = view_keys(searchable(own_id))
    with serve_ui(uri, folder / "mlartifacts", port) as server:
        yield MLflowPage(
            compare=compare_link(server.url, experiment, runs),
            mixes=view_link(server.url, experiment, mixes, charts=True),
            runs=view_link(server.url, experiment, table),
            server=server,
        )
