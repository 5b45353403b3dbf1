"""Find a study's runs without writing anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from tasksearch.core.errors import StudyNotReady
from tasksearch.core.signature import signature_of
from tasksearch.core.study import TrialRecord
from tasksearch.tracking.address import check_answers, masked
from tasksearch.tracking.client import open_client, searchable, translated
from tasksearch.tracking.curve_points import THROUGHPUT
from tasksearch.tracking.doubles import RECORD, by_key
from tasksearch.tracking.entries import TrackedTrial, View, entry_of, is_earlier, safe_name
from tasksearch.tracking.study_home import study_home


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
        home = study_home(open_client(uri), experiment, searchable(study_id))
    if home.experiment is None:
        raise missing
    by_key = {run.data.tags.get("tasksearch.trial"): run.info.run_id for run in home.runs}
    keys = [f"{searchable(study_id)}/{number}" for number in numbers]
    return str(home.experiment.experiment_id), [by_key[key] for key in keys if key in by_key]


def recorded(uri: str, experiment: str, study_id: str) -> dict[int, list[tuple[str, str]]]:
    """Trial number → hash of the record that its run was written from, and the run's status; of each of its runs.

    Only runs that stand under a run of the study.

    Raises:
        BadInput, Unreachable, StudyNotReady: as `find_runs`.
    """
    check_answers(uri)
    with translated(uri):
        home = study_home(open_client(uri), experiment, searchable(study_id))
    parents = {run.info.run_id for run in home.runs if "mlflow.parentRunId" not in run.data.tags}
    found: dict[int, list[tuple[str, str]]] = {}
    for run in (*home.runs, *home.elsewhere):
        number = str(run.data.tags.get("tasksearch.trial", "")).rpartition("/")[2]
        if run.data.tags.get("mlflow.parentRunId") in parents and number.isdecimal():
            found.setdefault(int(number), []).append((run.data.tags.get(RECORD, ""), str(run.info.status)))
    return found


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


def run_faults(uri: str, experiment: str, study_id: str, records: Iterable[TrialRecord], view: View) -> dict[int, str]:
    """Number of a trial → what its run lacks or has otherwise; nothing is written. Files are compared where they lie on this
    machine.

    Raises:
        BadInput, Unreachable, StudyNotReady: as `find_runs`.
    """
    experiment_id, _ = find_runs(uri, experiment, study_id, ())
    own = f"tags.`tasksearch.study` = '{searchable(study_id)}'"
    with translated(uri):
        runs, _ = by_key(open_client(uri).search_runs([experiment_id], own, max_results=10_000))
    found = {}
    for record in records:
        run = runs.get(f"{searchable(study_id)}/{record.number}")
        if run is None:
            found[record.number] = "no run"
            continue
        earlier = is_earlier(run.data.metrics)
        if problem := _unlike(run, entry_of(record, searchable(study_id), view, earlier=earlier)):
            found[record.number] = problem
    return found


def _unlike(run: Any, entry: TrackedTrial) -> str:
    if run.info.status != entry.status or run.data.tags.get(RECORD) != entry.tags[RECORD]:
        return f"status {run.info.status}, or written of another record"
    wrong = [name for name, value in entry.metrics.items() if run.data.metrics.get(safe_name(name)) != value]
    if wrong:
        return f"metric {wrong[0]} is {run.data.metrics.get(safe_name(wrong[0]))}, recorded {entry.metrics[wrong[0]]}"
    uri = str(run.info.artifact_uri)
    if uri.startswith("file:"):
        folder = Path(url2pathname(urlsplit(uri).path))
        for name, text in entry.files.items():
            path = folder / name
            if not path.is_file() or path.read_bytes() != text.encode():
                return f"file {name} is gone or damaged"
    return ""


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
            metrics = {n: value for n, value in run.data.metrics.items() if not n.startswith(("seconds/", f"{THROUGHPUT}/"))}
            shown = [run.info.status, sorted(run.data.params.items()), sorted(metrics.items())]
            shown += [len(client.get_metric_history(run.info.run_id, "objective")), _files(str(run.info.artifact_uri))]
            key = str(run.data.tags["tasksearch.trial"]).rpartition("/")
            found.setdefault(key[2] if key[1] else "study", []).append(signature_of(shown))
    return {key: " and ".join(sorted(each)) for key, each in found.items()}


def _files(artifact_uri: str) -> list[tuple[str, str]]:
    folder = Path(artifact_uri.removeprefix("file://"))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]
