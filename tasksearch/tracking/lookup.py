"""Finds a study's runs without writing anything."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from tasksearch.core.errors import StudyNotReady
from tasksearch.tracking.address import check_answers, masked


def find_runs(uri: str, experiment: str, study_id: str, numbers: Sequence[int]) -> tuple[str, list[str]]:
    """The experiment's id, and the runs of these trials in the given order (those that were never written are left out).

    Raises:
        Unreachable: the address does not answer.
        StudyNotReady: no such experiment there.
    """
    check_answers(uri)
    # MLflow calls what SQLAlchemy deprecates: its own business, and no user's.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"(mlflow|sqlalchemy|alembic)\b")
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    found = client.get_experiment_by_name(experiment)
    if found is None:
        raise StudyNotReady(f"no experiment {experiment!r} at {masked(uri)}; run the study first")
    own = f"tags.`tasksearch.study` = '{study_id}'"
    runs = client.search_runs([found.experiment_id], own, max_results=10_000)
    by_key = {run.data.tags.get("tasksearch.trial"): run.info.run_id for run in runs}
    keys = [f"{study_id}/{number}" for number in numbers]
    return str(found.experiment_id), [by_key[key] for key in keys if key in by_key]
