"""`MlflowTracker`: the only writer to MLflow, in the driver, through `MlflowClient`.

MLflow's calls are not idempotent: `create_run` makes a second run, a metric at a new time is a second point. So every run is
looked up by our own tag before it is created, every time comes from the record, and the tag `tasksearch.record`, written last,
marks a trial as complete. A replay after a crash changes nothing; a trial that was half written is completed.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from tasksearch.core.errors import BadInput, Refused, TasksearchError, no_room
from tasksearch.core.learning_curve import CURVES, read_curves
from tasksearch.core.plan import Plan
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.tracking.address import check_answers, default_uri, masked, scrubbed
from tasksearch.tracking.client import forget_places, open_client, searchable, translated
from tasksearch.tracking.curve_points import curve_points
from tasksearch.tracking.database import file_of, is_damaged, make_empty, rebase_artefacts, set_aside
from tasksearch.tracking.doubles import KEY, RECORD, by_key
from tasksearch.tracking.entries import (
    TrackedTrial,
    View,
    cleaned,
    collisions,
    entry_of,
    is_earlier,
    safe_name,
    study_file,
    study_params,
)
from tasksearch.tracking.study_home import mended_lines, study_home
from tasksearch.tracking.views import view_tags

PARENT_TAG = "mlflow.parentRunId"
_LOG = logging.getLogger(__name__)
_MAX_METRICS, _MAX_PARAMS, _MAX_TAG, _PAGE = 1000, 100, 5000, 1000


class MlflowTracker:
    """A study is an experiment with a parent run; a trial is a child run.

    Args:
        uri: tracking address; None: SQLite under the study's folder.
        study_folder: of the study; local artefacts are written below it.
        study_id: identifies the study's runs in a shared experiment.
        groups: target → group of targets, for the means.
        language_groups: name → languages with a mean of their own.
        fingerprints: task or target → hash of its training data, by which it becomes a data set of the runs that trained on it.
    """

    def __init__(
        self,
        uri: str | None,
        study_folder: Path,
        study_id: str,
        *,
        groups: Mapping[str, str] | None = None,
        language_groups: Mapping[str, Sequence[str]] | None = None,
        fingerprints: Mapping[str, str] | None = None,
    ) -> None:
        self.uri = uri or default_uri(study_folder)
        self.folder, self.study_id = study_folder.absolute(), searchable(study_id)
        self.experiment_id, self.parent_id = "", ""
        self._view = View(groups=groups or {}, language_groups=language_groups or {})
        self._fingerprints = fingerprints or {}
        self._runs: dict[str, Any] = {}
        self._elsewhere: list[Any] = []
        self._all_known = False
        self._keeps_files = True
        self._asked: tuple[StudyConfig, Mapping[str, str]] | None = None
        self._mlflow_client: Any = None

    def open_study(self, config: StudyConfig, tags: Mapping[str, str]) -> list[str]:
        """Finds the study's experiment and runs, wherever they are now, or creates them; returns what was mended, a line each.

        Raises:
            Unreachable: the address does not answer, or refuses.
            BadInput: the address is malformed, or the experiment was deleted there.
        """
        self._asked = config, tags
        self._view = View(tasks=config.space.tasks, groups=self._view.groups, language_groups=self._view.language_groups)
        with translated(self.uri):
            check_answers(self.uri)
            self._make_ready()
            home = study_home(self._client, config.name, self.study_id)
            self.experiment_id = self._experiment(home.experiment, config.name)
            shown = home.experiment.tags if home.experiment is not None else {}
            for name, value in view_tags(self.study_id, config.space.tasks, config.search_target_steps).items():
                if shown.get(name) != value:
                    self._client.set_experiment_tag(self.experiment_id, name, value)
            self._runs, _ = by_key(home.runs)
            self._elsewhere, self._all_known = list(home.elsewhere), True
            parent = self._run(self.study_id, config.name, {"tasksearch.study": self.study_id}, None)
            self.parent_id = parent.info.run_id
            mended = [f"MLflow: {line}" for line in mended_lines(home, config.name, self._reparented())]
            words = {**tags, "tasksearch.trials": str(config.trials)}
            if "tasksearch.warning" in words:
                words["mlflow.note.content"] = words["tasksearch.warning"]
            self._client.update_run(self.parent_id, status="RUNNING")
            self._batch(parent, study_params(config), {}, cleaned(words), 0)
            _sweep(parent)
            return mended + self._first_file(study_file(config)) + collisions(config)

    def write_trial(self, record: TrialRecord, artefacts: Mapping[str, Path]) -> None:
        """Create or complete the child run of a finished trial."""
        assert self.parent_id, "write_trial before open_study"
        assert record.status != "running", f"trial {record.number} is not finished"
        try:
            self._write_trial(record, artefacts)
        except Refused:  # somebody deleted the run meanwhile: it is looked up anew, and made again
            self._write_trial(record, artefacts)

    def rewrite_trial(self, record: TrialRecord, artefacts: Mapping[str, Path]) -> None:
        """Writes a finished trial's run again, whatever it says of itself."""
        self._write_trial(record, artefacts, anew=True)

    def _write_trial(self, record: TrialRecord, artefacts: Mapping[str, Path], *, anew: bool = False) -> None:
        entry = entry_of(record, self.study_id, self._view)
        with translated(self.uri), self._forgetting(entry.key):
            own = {PARENT_TAG: self.parent_id, "tasksearch.study": self.study_id}
            run = self._run(entry.key, entry.name, own, entry.started)
            if is_earlier(run.data.metrics):
                entry = entry_of(record, self.study_id, self._view, earlier=True)
            _sweep(run)
            if not anew and self._is_there(run, entry):
                return
            if anew and RECORD in run.data.tags:
                self._client.delete_tag(run.info.run_id, RECORD)
            points = [*curve_points(read_curves(artefacts[CURVES]), record.scores)] if CURVES in artefacts else []
            self._write_points(run, points, entry.ended)
            self._write_datasets(run, record.plan)
            self._write(run, entry, {name: path for name, path in artefacts.items() if name != CURVES})
            self._runs[entry.key] = self._client.get_run(run.info.run_id)

    def _write_points(self, run: Any, points: Sequence[tuple[str, float, int]], at: int) -> None:
        """Write points of stepped metrics. MLflow keeps equal ones once, so that a replay changes nothing."""
        from mlflow.entities import Metric

        metrics = [Metric(safe_name(name), value, at, step) for name, value, step in points]
        for begin in range(0, len(metrics), _MAX_METRICS):
            self._client.log_batch(run.info.run_id, metrics[begin : begin + _MAX_METRICS])

    def _write_datasets(self, run: Any, plan: Plan) -> None:
        """Name the training data of the run's tasks and targets; MLflow keeps equal ones once."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        phases = dict.fromkeys(plan.schedule.tasks, "intermediate") | dict.fromkeys(plan.targets, "target")
        inputs = [
            DatasetInput(
                dataset=Dataset(
                    name=safe_name(name), digest=self._fingerprints[name][:32], source_type="tasksearch", source=plan.suite
                ),
                tags=[InputTag("mlflow.data.context", phase)],
            )
            for name, phase in phases.items()
            if name in self._fingerprints
        ]
        if inputs:
            self._client.log_inputs(run.info.run_id, inputs)

    def close_study(self, summary: Mapping[str, float | str], artefacts: Mapping[str, Path], *, complete: bool) -> None:
        """Write the study's summary to the parent run; `complete=False` leaves it open for a resume."""
        assert self.parent_id, "close_study before open_study"
        if self._asked is not None and not self._parent_is_there():
            self.open_study(*self._asked)
        with translated(self.uri):
            self._end_doubles()
            self._end_orphans()
            numbers = {k: float(v) for k, v in summary.items() if not isinstance(v, str)}
            words = cleaned({f"tasksearch.{k}": v for k, v in summary.items() if isinstance(v, str) and k != "description"})
            if "description" in summary:
                warning = self._asked[1].get("tasksearch.warning", "") if self._asked else ""
                words["mlflow.note.content"] = "\n\n".join(filter(None, (warning, str(summary["description"]))))
            parent = self._client.get_run(self.parent_id)
            self._batch(parent, {}, numbers, words, int(parent.info.start_time))
            self._new_files(parent, artefacts)
            if complete:
                self._client.set_terminated(self.parent_id, "FINISHED")

    @contextmanager
    def _forgetting(self, key: str) -> Iterator[None]:
        """Forget a run after an error: the call may have been executed, so the next try looks the run up anew."""
        try:
            yield
        except BaseException:
            self._runs.pop(key, None)
            self._all_known = False
            raise

    @property
    def _client(self) -> Any:
        if self._mlflow_client is None:
            self._mlflow_client = open_client(self.uri)
        return self._mlflow_client

    def _make_ready(self) -> None:
        """Create the SQLite file complete or not at all; write the study's own file again where it is damaged.

        Raises:
            BadInput: a damaged file that is not the study's own.
        """
        file = file_of(self.uri)
        if file is None:
            return
        if file.exists() and is_damaged(file):
            if self.uri != default_uri(self.folder):
                raise BadInput(f"{file} is damaged or not an MLflow database; restore it, or give another --tracking-uri")
            aside = set_aside(file)
            _LOG.warning("%s is damaged: kept as %s and written again from the study's records", file, aside.name)
        if not file.exists():
            make_empty(file)
        elif self.uri == default_uri(self.folder) and (had := rebase_artefacts(file, self.folder / "mlartifacts")):
            forget_places()
            _LOG.warning("the study was moved or copied: its MLflow files are in %s, no more in %s", self.folder, had)

    def _experiment(self, found: Any | None, name: str) -> str:
        if found is None:
            # A server says where its files go. Over a bare database MLflow would leave them in the working directory.
            place = None if self._is_served else (self.folder / "mlartifacts").as_uri()
            return str(self._client.create_experiment(name, place))
        if found.lifecycle_stage != "active":
            raise BadInput(
                f"experiment {found.name!r} was deleted at {masked(self.uri)}; expected it there: `mlflow experiments restore "
                f"--experiment-id {found.experiment_id}` brings it back, or name the study otherwise"
            )
        return str(found.experiment_id)

    @property
    def _is_served(self) -> bool:
        return self.uri.startswith(("http://", "https://", "databricks"))

    def _parent_is_there(self) -> bool:
        with translated(self.uri):
            try:
                return bool(self._client.get_run(self.parent_id).info.lifecycle_stage == "active")
            except Exception as error:
                if getattr(error, "error_code", "") == "RESOURCE_DOES_NOT_EXIST":
                    return False
                raise

    def _reparented(self) -> int:
        """Hangs the study's runs under its parent run, where somebody deleted the one that they hung under; how many."""
        astray = [
            run for key, run in self._runs.items() if key != self.study_id and run.data.tags.get(PARENT_TAG) != self.parent_id
        ]
        for run in astray:
            self._client.set_tag(run.info.run_id, PARENT_TAG, self.parent_id)
        return len(astray)

    def _first_file(self, text: str) -> list[str]:
        """Writes `study.json`, and learns by it whether a server takes files; where it takes none the runs go without."""
        try:
            self._client.log_text(self.parent_id, text, "study.json")
        except Exception as error:
            if not self._is_served or isinstance(error, TasksearchError) or no_room(error):
                raise
            check_answers(self.uri)  # a server that went away says nothing about files
            self._keeps_files = False
            return [
                f"MLflow: the server at {masked(self.uri)} takes no files ({scrubbed(str(error), self.uri)[:160]}): runs are "
                "written without them, they stand in the study's folder; expected a server started with --serve-artifacts"
            ]
        self._keeps_files = True
        return []

    def _run(self, key: str, name: str, tags: Mapping[str, str], started: int | None) -> Any:
        """Return the run with that key: from memory, else looked up, else created."""
        if key not in self._runs:
            own = f"tags.`{KEY}` = '{key}'"
            found = [] if self._all_known else self._client.search_runs([self.experiment_id], own)
            there, _ = by_key(found)
            self._runs[key] = there.get(key) or self._client.create_run(self.experiment_id, started, {KEY: key, **tags}, name)
        return self._runs[key]

    def _is_there(self, run: Any, entry: TrackedTrial) -> bool:
        """The tag written last names this record's content, the run ended as the record says and shows its numbers and tags,
        its files have their sizes.
        """
        if run.info.status != entry.status or not entry.metrics.items() <= run.data.metrics.items():
            return False
        if any(run.data.tags.get(name) != value[:_MAX_TAG] for name, value in entry.tags.items()):
            return False
        if not self._keeps_files:
            return True
        sizes = {file.path: file.file_size for file in self._client.list_artifacts(run.info.run_id)}
        return all(sizes.get(name) == len(text.encode()) for name, text in entry.files.items())

    def _write(self, run: Any, entry: TrackedTrial, artefacts: Mapping[str, Path]) -> None:
        run_id = run.info.run_id
        tags = {name: value for name, value in entry.tags.items() if name != RECORD}
        self._batch(run, entry.params, entry.metrics, tags, entry.ended)
        for name, text in entry.files.items() if self._keeps_files else ():
            self._client.log_text(run_id, text, name)
        self._files(run_id, artefacts)
        self._client.set_terminated(run_id, entry.status, entry.ended)
        self._client.set_tag(run_id, RECORD, entry.tags[RECORD])

    def _batch(
        self, run: Any, params: Mapping[str, str], metrics: Mapping[str, float], tags: Mapping[str, str], at: int
    ) -> None:
        """Write everything in as few requests as possible: at most 1000 entries each, 100 params and 100 tags of them."""
        from mlflow.entities import Metric, Param, RunTag

        run_id, there = run.info.run_id, run.data.metrics
        params, tags = _unmoved(run.data.params, params, tags)
        # MLflow shows the newest point: a changed value is written at a later time, an unchanged one is not written again.
        fresh = {name: value for name, value in metrics.items() if there.get(safe_name(name)) != value}
        later = max(at, round(1000 * time.time()))
        points = iter([Metric(safe_name(n), v, later if safe_name(n) in there else at, 0) for n, v in fresh.items()])
        values = iter([Param(name, value) for name, value in params.items()])
        words = iter([RunTag(name, value[:_MAX_TAG]) for name, value in tags.items()])
        while True:
            part = (
                list(islice(points, _MAX_METRICS - 2 * _MAX_PARAMS)),
                list(islice(values, _MAX_PARAMS)),
                list(islice(words, _MAX_PARAMS)),
            )
            if not any(part):
                return
            self._client.log_batch(run_id, *part)

    def _new_files(self, run: Any, artefacts: Mapping[str, Path]) -> None:
        """Upload files whose content the run does not have; a tag keeps the hash of what was written."""
        for name, path in artefacts.items():
            tag, content = safe_name(f"tasksearch.sha256.{name}"), hashlib.sha256(path.read_bytes()).hexdigest()
            if run.data.tags.get(tag) != content:
                self._files(run.info.run_id, {name: path})
                self._client.set_tag(run.info.run_id, tag, content)

    def _files(self, run_id: str, artefacts: Mapping[str, Path]) -> None:
        for name, path in artefacts.items() if self._keeps_files else ():
            if path.name == name:
                self._client.log_artifact(run_id, str(path))
                continue
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / name
                copy.write_bytes(path.read_bytes())
                self._client.log_artifact(run_id, str(copy))

    def _end_doubles(self) -> None:
        """Deletes what was made twice, where an answer of the server was lost or in another experiment, to the last page."""
        own, token, runs = f"tags.`tasksearch.study` = '{self.study_id}'", None, []
        while True:
            page = self._client.search_runs([self.experiment_id], own, max_results=_PAGE, page_token=token)
            runs += list(page)
            token = page.token
            if not token:
                break
        for run in (*by_key(runs)[1], *self._elsewhere):
            self._client.delete_run(run.info.run_id)
        self._elsewhere = []

    def _end_orphans(self) -> None:
        """End child runs that a crash left open: a killed trial has no record."""
        children = f"tags.`{PARENT_TAG}` = '{self.parent_id}' and attributes.status = 'RUNNING'"
        for run in self._client.search_runs([self.experiment_id], children, max_results=1000):
            self._client.set_terminated(run.info.run_id, "KILLED")


def _unmoved(
    there: Mapping[str, str], params: Mapping[str, str], tags: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Move changed params to tags `tasksearch.now.<param>`, since MLflow refuses another value for a param."""
    moved = {f"tasksearch.now.{name}": value for name, value in params.items() if there.get(name, value) != value}
    return {name: value for name, value in params.items() if name not in there}, {**tags, **moved}


def _sweep(run: Any) -> None:
    """Remove partial files of a killed upload, where they are on this machine: MLflow would list them as files of the run."""
    folder = str(run.info.artifact_uri)
    if folder.startswith("file:"):
        for left in Path(url2pathname(urlsplit(folder).path)).glob(".artifact.uploading.*"):
            left.unlink(missing_ok=True)
