"""Find a study's runs without writing anything."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from tasksearch.core.errors import StudyNotReady
from tasksearch.core.signature import signature_of
from tasksearch.tracking.address import check_answers, masked
from tasksearch.tracking.client import open_client, searchable, translated


def find_runs(uri: str, experiment: str, study_id: str, numbers: Sequence[int]) -> tuple[str, list[str]]:
    """Return the experiment's id, and the runs of these trials in the given order; trials never written are left out.

    Raises:
        BadInput: this is not a tracking address.
        Unreachable: the address does not answer, or refuses.
        StudyNotReady: there is no such experiment.
    """
    check_answers(uri)
    missing = StudyNotReady(f"no experiment {experiment!r} at {masked(uri)}; run the study first")
    file = uri.removeprefix("sqlite:///")
    if file != uri and not Path(file.partition("?")[0]).exists():
        raise missing  # MLflow would create an empty database there
    with translated(uri):
        client = open_client(uri)
        found = client.get_experiment_by_name(experiment)
        if found is None:
            raise missing
        own = f"tags.`tasksearch.study` = '{searchable(study_id)}'"
        runs = client.search_runs([found.experiment_id], own, max_results=10_000)
    by_key = {run.data.tags.get("tasksearch.trial"): run.info.run_id for run in runs}
    keys = [f"{searchable(study_id)}/{number}" for number in numbers]
    return str(found.experiment_id), [by_key[key] for key in keys if key in by_key]


def statuses(uri: str, experiment: str, study_id: str) -> dict[str, str]:
    """Return trial number → status of its run, `study` → of the parent run; duplicate runs are marked.

    Raises:
        BadInput, Unreachable, StudyNotReady: as `find_runs`.
    """
    experiment_id, _ = find_runs(uri, experiment, study_id, ())
    own = f"tags.`tasksearch.study` = '{searchable(study_id)}'"
    found: dict[str, list[str]] = {}
    with translated(uri):
        client, token = open_client(uri), None
        while True:
            page = client.search_runs([experiment_id], own, max_results=1000, page_token=token)
            for run in page:
                key = str(run.data.tags.get("tasksearch.trial", "?")).rpartition("/")[2]
                is_parent = "mlflow.parentRunId" not in run.data.tags
                found.setdefault("study" if is_parent else key, []).append(str(run.info.status))
            token = page.token
            if not token:
                return {key: " and ".join(sorted(each)) for key, each in found.items()}


def contents(uri: str, experiment: str, study_id: str) -> dict[str, str]:
    """Return trial number → status, parameters, metrics without times, points of the objective, and file hashes of its run.

    It serves to compare studies. Files are read where they are on this machine. Of duplicate runs both are returned.

    Raises:
        BadInput, Unreachable, StudyNotReady: as `find_runs`.
    """
    experiment_id, _ = find_runs(uri, experiment, study_id, ())
    own = f"tags.`tasksearch.study` = '{searchable(study_id)}' and tags.`tasksearch.trial` != ''"
    found: dict[str, list[str]] = {}
    with translated(uri):
        client = open_client(uri)
        for run in client.search_runs([experiment_id], own, max_results=10_000):
            metrics = {name: value for name, value in run.data.metrics.items() if not name.startswith("seconds/")}
            shown = [run.info.status, sorted(run.data.params.items()), sorted(metrics.items())]
            shown += [len(client.get_metric_history(run.info.run_id, "objective")), _files(str(run.info.artifact_uri))]
            key = str(run.data.tags["tasksearch.trial"]).rpartition("/")
            found.setdefault(key[2] if key[1] else "study", []).append(signature_of(shown))
    return {key: " and ".join(sorted(each)) for key, each in found.items()}


def _files(artifact_uri: str) -> list[tuple[str, str]]:
    folder = Path(artifact_uri.removeprefix("file://"))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]
