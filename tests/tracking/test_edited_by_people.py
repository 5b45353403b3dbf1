"""Whatever people do to a study's runs in MLflow, opening the study again brings them back to the records, and says so."""

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Score, ScoreTable
from tasksearch.core.signature import signature_of
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.tracking.client import open_client
from tasksearch.tracking.entries import cleaned, collisions, safe_name
from tasksearch.tracking.lookup import contents, find_runs, recorded, statuses
from tasksearch.tracking.mlflow import MlflowTracker

CONFIG = StudyConfig(
    name="edited", space=SearchSpace(name="joint", summary=""), suite="lab", model="lab", targets=("nli",), languages=("sw",)
)
NUMBERS = range(3)


def trial(number):
    plan = Plan(
        suite="lab", schedule=Schedule.sequential([("qqp", 8)]), targets=("nli",), languages=("sw",), settings=PhaseSettings(),
        seed=number,
    )  # fmt: skip
    rows = [Score(target="nli", language="sw", half="select", metric="accuracy", value=50.0, examples=9, seed=number)]
    return TrialRecord(
        number=number, role="search", status="done", plan=plan, started=1.7e9, ended=1.7e9, objective=1.5,
        scores=ScoreTable.of(rows),
    )  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """MLflow's tables: making them takes seconds."""
    from tasksearch.tracking.database import make_empty

    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    make_empty(path)
    return path.read_bytes()


class Study:
    def __init__(self, folder):
        self.folder, self.uri = folder, f"sqlite:///{folder / 'mlflow.db'}"
        self.client = open_client(self.uri)

    def live(self):
        """Tells everything, as a resume does; returns what was said."""
        self.tracker = MlflowTracker(None, self.folder, "edited-1")
        said = self.tracker.open_study(CONFIG, {})
        for number in NUMBERS:
            self.tracker.write_trial(trial(number), {})
        self.tracker.close_study({"best_objective": 1.5}, {}, complete=True)
        return said

    def run_of(self, number):
        return find_runs(self.uri, "edited", "edited-1", [number])[1][0]

    def seen(self):
        where = self.uri, "edited", "edited-1"
        return statuses(*where), contents(*where), recorded(*where)


@pytest.fixture
def study(tmp_path, empty):
    (tmp_path / "mlflow.db").write_bytes(empty)
    found = Study(tmp_path)
    assert found.live() == []
    return found


def nothing(study):
    pass


def rename(study):
    study.client.rename_experiment(study.tracker.experiment_id, "my nicer name")


def delete_a_trial(study):
    study.client.delete_run(study.run_of(1))


def delete_the_parent(study):
    study.client.delete_run(study.tracker.parent_id)


def delete_all(study):
    for run in study.client.search_runs([study.tracker.experiment_id]):
        study.client.delete_run(run.info.run_id)


def rename_and_take_its_name(study):
    rename(study)
    study.client.create_experiment("edited")


def rename_and_delete(study):
    rename(study)
    delete_a_trial(study)
    delete_the_parent(study)


def log_another_objective(study):
    study.client.log_metric(study.run_of(2), "objective", 99.0)


def retag(study):
    study.client.set_tag(study.run_of(2), "tasksearch.role", "mine")


def end_otherwise(study):
    study.client.set_terminated(study.run_of(0), "FAILED")


def add_a_run(study):
    tags = {"mlflow.parentRunId": study.tracker.parent_id}
    study.client.create_run(study.tracker.experiment_id, tags=tags, run_name="a run of my own")


def add_a_copy_of_ours(study):
    tags = study.client.get_run(study.run_of(0)).data.tags
    study.client.create_run(study.tracker.experiment_id, tags={**tags, "mlflow.runName": "copied"}, run_name="copied")


def split_by_an_earlier_version(study):
    """A renamed experiment was not found: the study's runs were written a second time, under the old name."""
    experiment = study.client.create_experiment("written twice")
    for run in study.client.search_runs([study.tracker.experiment_id])[:2]:
        study.client.create_run(experiment, tags={k: v for k, v in run.data.tags.items() if k.startswith("tasksearch")})


EDITS = {
    nothing: "",
    rename: "is called 'my nicer name' now",
    rename_and_take_its_name: "is called 'my nicer name' now",
    delete_a_trial: "1 of the study's runs were deleted",
    delete_the_parent: "3 runs stood under no run of the study",
    delete_all: "4 of the study's runs were deleted",
    rename_and_delete: "stood under no run of the study",
    log_another_objective: "",
    retag: "",
    end_otherwise: "",
    add_a_run: "",
    add_a_copy_of_ours: "",
    split_by_an_earlier_version: "2 runs of the study stand in another experiment",
}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_what_people_did_is_mended_from_the_records_and_said(study, edit):
    was = study.seen()
    edit(study)
    said = study.live()
    now = study.seen()
    assert now[0] == was[0] == {"study": "FINISHED", "0": "FINISHED", "1": "FINISHED", "2": "FINISHED"}
    assert now[2] == {number: [(signature_of("record", trial(number)), "FINISHED")] for number in NUMBERS}
    runs = {number: study.client.get_run(study.run_of(number)) for number in NUMBERS}
    assert {run.data.metrics["objective"] for run in runs.values()} == {1.5}
    assert {run.data.tags["tasksearch.role"] for run in runs.values()} == {"search"}
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {study.tracker.parent_id}
    if edit is not log_another_objective:  # whose points stay: MLflow forgets none
        assert now[1] == was[1]
    assert EDITS[edit] in "".join(said) and bool(said) == bool(EDITS[edit])
    assert all(line.startswith("MLflow: ") and "\n" not in line for line in said)
    assert study.live() == [line for line in said if "is called" in line], "mended once"
    mine = study.client.search_runs([study.tracker.experiment_id], "attributes.run_name = 'a run of my own'")
    assert len(mine) == (edit is add_a_run), "what is not ours stays"


def test_a_study_of_one_name_beside_it_is_left_alone(study):
    other = MlflowTracker(None, study.folder, "edited-2")
    other.open_study(CONFIG, {})
    other.write_trial(trial(0), {})
    rename(study)
    study.live()
    assert list(recorded(study.uri, "edited", "edited-2")) == [0]
    assert other.experiment_id == study.tracker.experiment_id


def test_a_deleted_experiment_is_one_line_with_the_command_that_brings_it_back(study):
    experiment = study.tracker.experiment_id
    rename(study)
    study.client.delete_experiment(experiment)
    with pytest.raises(
        BadInput, match=r"'my nicer name' was deleted .*`mlflow experiments restore --experiment-id \d+` "
    ) as said:
        study.live()
    assert "\n" not in str(said.value)
    study.client.restore_experiment(experiment)
    study.live()
    assert set(study.seen()[0].values()) == {"FINISHED"}


@pytest.mark.parametrize("edit", [delete_the_parent, rename])
def test_what_is_done_while_the_study_runs_holds_nothing_up(study, edit):
    tracker = MlflowTracker(None, study.folder, "edited-1")
    tracker.open_study(CONFIG, {})
    edit(study)
    study.client.log_metric(study.run_of(2), "objective", 7.0)
    for number in NUMBERS:
        tracker.write_trial(trial(number), {})
    tracker.close_study({}, {}, complete=True)
    where = study.uri, "edited", "edited-1"
    assert statuses(*where) == {"study": "FINISHED", "0": "FINISHED", "1": "FINISHED", "2": "FINISHED"}
    assert recorded(*where) == {number: [(signature_of("record", trial(number)), "FINISHED")] for number in NUMBERS}


def test_names_that_mlflow_would_make_one_stay_apart_and_a_line_says_how():
    found = cleaned({"mix/a+b": 1, "mix/a_b": 2, "mix/a&b": 3, "mix/c+d": 4})
    assert sorted(found.values()) == [1, 2, 3, 4]
    assert found["mix/a_b"] == 2 and found["mix/c_d"] == 4
    assert all(name == safe_name(name) for name in found)
    long = {"x" * 300: 1, "x" * 301: 2}
    assert len(cleaned(long)) == 2 and max(map(len, cleaned(long))) <= 250
    config = StudyConfig(
        name="x", space=SearchSpace(name="s", summary="", tasks=("a+b", "a_b")), suite="lab", model="lab", targets=("nli",),
        languages=("sw",),
    )  # fmt: skip
    (line,) = collisions(config)
    assert "'a+b' and 'a_b'" in line and "'a_b'" in line and "\n" not in line
    assert collisions(CONFIG) == []


def test_a_server_that_takes_no_files_gets_the_runs_without_them(study, monkeypatch):
    from mlflow.exceptions import MlflowException

    monkeypatch.setattr(MlflowTracker, "_is_served", property(lambda self: True))
    tracker = MlflowTracker(None, study.folder, "edited-9")

    def refuse(*_):
        raise MlflowException("API request failed with error code 503: the server was started with --no-serve-artifacts")

    for call in ("log_text", "log_artifact", "list_artifacts"):
        monkeypatch.setattr(tracker._client, call, refuse)
    (said,) = tracker.open_study(CONFIG, {})
    assert "takes no files" in said and "--serve-artifacts" in said and "\n" not in said
    tracker.write_trial(trial(0), {})
    tracker.write_trial(trial(0), {})
    tracker.close_study({}, {"report.html": study.folder / "mlflow.db"}, complete=True)
    assert statuses(study.uri, "edited", "edited-9") == {"study": "FINISHED", "0": "FINISHED"}
