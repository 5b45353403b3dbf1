"""`run_links`: addresses of a study's MLflow runs, for the links of its report."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from tasksearch.core.errors import TasksearchError
from tasksearch.core.study import StudyConfig
from tasksearch.reports.sections.history import LOCAL
from tasksearch.study.locations import study_id, tracking_address
from tasksearch.tracking.address import masked

_QUERY = """
select tags.value, runs.experiment_id, runs.run_uuid from tags join runs using (run_uuid)
where tags.key = 'tasksearch.trial'
"""


def run_links(folder: Path, config: StudyConfig, numbers: Sequence[int]) -> Mapping[str, str]:
    """Return number of a trial → address of its run; trials whose run is not known are left out.

    Runs in the study's own folder are found without starting MLflow; their addresses are those of `tasksearch ui STUDY --port
    5000`. A server that does not answer gives no links.
    """
    address = tracking_address(config)
    if address is None:
        return _own(folder / "mlflow.db")
    if not address.startswith(("http://", "https://")):
        return {}
    from tasksearch.tracking.lookup import find_runs

    links = {}
    with suppress(TasksearchError):
        experiment, runs = find_runs(address, config.name, study_id(folder, config.name), numbers)
        if len(runs) == len(numbers):
            base = masked(address).rstrip("/")
            links = {f"{n}": f"{base}/#/experiments/{experiment}/runs/{run}" for n, run in zip(numbers, runs, strict=True)}
    return links


def _own(database: Path) -> dict[str, str]:
    if not database.exists():
        return {}
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as opened:
        found = opened.execute(_QUERY).fetchall()
        return {
            key.rpartition("/")[2]: f"{LOCAL}/#/experiments/{experiment}/runs/{run}"
            for key, experiment, run in found
            if "/" in key
        }
    return {}
