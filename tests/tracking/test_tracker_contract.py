"""What any tracker keeps to: every call may be repeated, and a replay after a crash changes nothing."""

import dataclasses
import json
import struct
from pathlib import Path

import pytest

from tasksearch.core.errors import BadInput, Unreachable
from tasksearch.core.learning_curve import LearningCurve
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Score, ScoreTable
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.records.ledger import Ledger
from tasksearch.tracking.memory import MemoryTracker
from tasksearch.tracking.mlflow import MlflowTracker
from tasksearch.tracking.port import Tracker
from tasksearch.tracking.several import SeveralTrackers
from tasksearch.tracking.tensorboard import TensorBoardTracker
from tasksearch.tracking.views import view_keys

CONFIG = StudyConfig(
    name="first",
    space=SearchSpace(name="joint_vs_seq", summary="", tasks=("mnli", "qqp", "squad"), steps=(80,)),
    suite="lab",
    model="lab",
    targets=("nli", "bitext"),
    languages=("en", "sw", "yo"),
)
GROUPS = {"nli": "classification", "bitext": "retrieval"}
TAGS = {"tasksearch.warning": "a generated, code-mixed world", "torch": "2.13.0"}


def record(number=0, *, schedule=None, status="done", seed=0, **options):
    schedule = schedule if schedule is not None else Schedule.sequential([("qqp", 60), ("mnli", 20)])
    plan = Plan(
        suite="lab", schedule=schedule, targets=CONFIG.targets, languages=CONFIG.languages, settings=PhaseSettings(), seed=seed
    )
    rows = [
        Score(target=t, language=language, half=half, metric="accuracy", value=value, examples=100, seed=seed)
        for t, language, value in [("nli", "en", 80.0), ("nli", "sw", 60.0), ("nli", "yo", 50.0), ("bitext", "sw", 25.0)]
        for half in ("select", "report")
    ]
    told = {
        "role": "search",
        "scores": ScoreTable.of(rows) if status == "done" else ScoreTable(),
        "objective": 1.25 if status == "done" else None,
        "cause": "loss is not finite" if status == "failed" else None,
        "started": 1_700_000_000.25 + number,
        "ended": 1_700_000_004.5 + number,
        "seconds": (("intermediate", 2.5), ("target", 1.0)),
        "facts": (("device", "cpu"), ("threads", "1")),
    }
    return TrialRecord(number=number, status=status, plan=plan, **told | options)


class TrackerContract:
    """Inherit, and give `tracker` (a factory: called twice it means a second process) and `seen` (its whole visible state)."""

    def tracker(self) -> Tracker:
        raise NotImplementedError

    def seen(self) -> dict:
        raise NotImplementedError

    def texts(self, number) -> dict[str, str]:
        raise NotImplementedError

    @pytest.fixture
    def table(self, tmp_path) -> Path:
        path = tmp_path / "timings.json"
        path.write_text("{}")
        return path

    def test_a_trial_shows_its_mix_its_scores_and_its_end(self):
        tracker = self.tracker()
        tracker.open_study(CONFIG, TAGS)
        tracker.write_trial(record(), {})
        (trial,) = self.seen()["trials"].values()
        assert trial["status"] == "FINISHED"
        assert trial["params"]["mix/qqp"] == "0.75"
        assert trial["params"]["mix/squad"] == "0"
        assert trial["params"]["order"] == "qqp → mnli"
        assert trial["metrics"]["dev/nli/sw"] == 60.0
        assert trial["metrics"]["dev/nli/mean"] == 55.0
        assert trial["metrics"]["objective"] == 1.25
        assert trial["tags"]["tasksearch.device"] == "cpu"
        assert (trial["started"], trial["ended"]) == (1_700_000_000_250, 1_700_000_004_500)

    def test_no_trial_shows_a_reporting_score_and_only_reported_languages_are_named(self):
        tracker = self.tracker()
        tracker.open_study(CONFIG, {})
        rows = [row for row in record().scores if (row.language, row.half) != ("yo", "select")]
        told = [dataclasses.replace(row, value=row.value + (0.125 if row.half == "report" else 0.0)) for row in rows]
        tracker.write_trial(record(scores=ScoreTable.of(told)), {})
        (trial,) = self.seen()["trials"].values()
        assert not [name for name, value in trial["metrics"].items() if name.startswith("score/") or value in (60.125, 50.125)]
        assert trial["tags"]["tasksearch.only_reported"] == "yo"
        shown = "".join(self.texts(0).values())
        assert "60.0" in shown and ".125" not in shown and '"report"' not in shown and ",report," not in shown

    def test_a_fresh_seed_is_no_rival_of_the_search(self):
        tracker = self.tracker()
        tracker.open_study(CONFIG, {})
        tracker.write_trial(record(0, role="finalist", objective=9.0), {})
        (trial,) = self.seen()["trials"].values()
        assert "objective" not in trial["metrics"] and trial["metrics"]["objective_fresh"] == 9.0

    def test_the_same_calls_twice_leave_the_same_state_as_once(self, table):
        def everything(tracker):
            tracker.open_study(CONFIG, TAGS)
            for number in range(3):
                tracker.write_trial(record(number), {"timings.json": table})
            tracker.close_study({"best": "qqp", "gain": 1.5}, {"timings.json": table}, complete=True)

        tracker = self.tracker()
        everything(tracker)
        once = self.seen()
        everything(tracker)
        assert self.seen() == once
        assert len(once["trials"]) == 3
        assert once["status"] == "FINISHED"

    def test_failed_and_stopped_trials_end_as_such_and_say_why(self):
        tracker = self.tracker()
        tracker.open_study(CONFIG, {})
        tracker.write_trial(record(0, status="failed"), {})
        tracker.write_trial(record(1, status="stopped"), {})
        failed, stopped = (self.seen()["trials"][number] for number in (0, 1))
        assert (failed["status"], stopped["status"]) == ("FAILED", "KILLED")
        assert failed["tags"]["tasksearch.cause"] == "loss is not finite"
        assert "objective" not in failed["metrics"]

    def test_a_trial_that_later_succeeds_is_the_same_run(self):
        tracker = self.tracker()
        tracker.open_study(CONFIG, {})
        tracker.write_trial(record(0, status="failed"), {})
        tracker.write_trial(record(0), {})
        (trial,) = self.seen()["trials"].values()
        assert trial["status"] == "FINISHED"
        assert trial["metrics"]["objective"] == 1.25

    def test_a_number_that_changed_shows_its_last_value(self):
        tracker = self.tracker()
        tracker.open_study(CONFIG, {})
        for value in (3.0, 2.0):
            tracker.write_trial(record(0, objective=value), {})
            tracker.close_study({"gain": value}, {}, complete=False)
        state = self.seen()
        assert state["trials"][0]["metrics"]["objective"] == 2.0
        assert state["summary"]["gain"] == 2.0

    def test_a_study_left_incomplete_stays_open_for_a_resume(self):
        tracker = self.tracker()
        tracker.open_study(CONFIG, {})
        tracker.close_study({}, {}, complete=False)
        assert self.seen()["status"] == "RUNNING"

    def test_nothing_is_written_before_the_study_is_opened_or_before_a_trial_is_finished(self):
        tracker = self.tracker()
        with pytest.raises(AssertionError):
            tracker.write_trial(record(), {})
        tracker.open_study(CONFIG, {})
        with pytest.raises(AssertionError):
            tracker.write_trial(dataclasses.replace(record(), status="running"), {})


class TestMemoryTracker(TrackerContract):
    @pytest.fixture(autouse=True)
    def _one(self):
        self.memory = MemoryTracker()

    def tracker(self):
        return self.memory

    def texts(self, number):
        return self.memory.trials[number].files

    def seen(self):
        trials = {number: dataclasses.asdict(entry) for number, entry in self.memory.trials.items()}
        return {"trials": trials, "status": self.memory.status, "summary": dict(self.memory.summary)}


class TestTensorBoardTracker(TrackerContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path / "tensorboard"

    def tracker(self):
        return TensorBoardTracker(self.folder, "first-1a2b")

    def texts(self, number):
        return {path.name: path.read_text("latin-1") for path in self.folder.glob(f"{number:04d}/*")}

    def points(self, number):
        """(name, step) → every value in the event files, read as TensorBoard reads them."""
        from tensorboardX.proto.event_pb2 import Event

        found = {}
        for path in self.folder.glob(f"{number:04d}/events.*"):
            content, at = path.read_bytes(), 0
            while at < len(content):
                (length,) = struct.unpack_from("<Q", content, at)
                event = Event.FromString(content[at + 12 : at + 12 + length])
                at += 12 + length + 4
                for value in event.summary.value:
                    if value.HasField("simple_value"):
                        found.setdefault((value.tag, event.step), []).append(value.simple_value)
        return found

    def seen(self):
        told = {int(path.parent.name): json.loads(path.read_text()) for path in self.folder.glob("[0-9]*/trial.json")}
        for number, trial in told.items():
            points = self.points(number)
            assert {name: [pytest.approx(value)] for name, value in trial["metrics"].items()} == {
                name: values for (name, step), values in points.items() if step == 0
            }
        study = json.loads((self.folder / "study.json").read_text())
        return {"trials": told, "status": study["status"], "summary": study["summary"]}

    def test_a_changed_trial_is_written_anew_and_its_curves_are_points(self, tmp_path):
        curve = LearningCurve(steps=(2, 4), loss=(1.5, 0.5), learning_rate=(0.1, 0.05), examples_per_second=(80.0, 90.0))
        ledger, tracker = Ledger(tmp_path), self.tracker()
        tracker.open_study(CONFIG, {})
        tracker.write_trial(record(), {})
        ledger.write_curves(0, {"target/nli": curve})
        for _ in range(2):
            tracker.write_trial(record(), ledger.curve_files(0))
        assert self.points(0)["loss/target/nli", 2] == [1.5] and self.points(0)["english_dev/target/nli", 4] == [80.0]
        assert sorted(path.name for path in self.folder.iterdir()) == ["0000", "study.json"]


class TestSeveralTrackers(TestMemoryTracker):
    def tracker(self):
        self.other = MemoryTracker()
        return SeveralTrackers(self.memory, self.other)

    def test_all_of_them_are_told(self):
        tracker = self.tracker()
        tracker.open_study(CONFIG, TAGS)
        tracker.write_trial(record(), {})
        tracker.close_study({"gain": 1.0}, {}, complete=True)
        assert self.memory == self.other


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory):
    """Making MLflow's tables takes seconds: once, then copied."""
    folder = tmp_path_factory.mktemp("mlflow")
    MlflowTracker(None, folder, "none").open_study(dataclasses.replace(CONFIG, name="none"), {})
    return folder / "mlflow.db"


class TestMlflowTracker(TrackerContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path, empty_database):
        self.folder = tmp_path / "study"
        self.folder.mkdir()
        (self.folder / "mlflow.db").write_bytes(empty_database.read_bytes())

    def tracker(self):
        self.latest = MlflowTracker(None, self.folder, "first-1a2b", groups=GROUPS, language_groups={"low_resource": ["yo"]})
        return self.latest

    @property
    def client(self):
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=f"sqlite:///{self.folder / 'mlflow.db'}")

    def runs(self):
        experiment = self.client.get_experiment_by_name("first")
        return self.client.search_runs([experiment.experiment_id])

    def texts(self, number):
        return {path.name: path.read_text() for path in self.folder.glob("mlartifacts/**/*.*") if path.name != "study.json"}

    def seen(self):
        trials, parents = {}, []
        for run in self.runs():
            if "mlflow.parentRunId" not in run.data.tags:
                parents.append(run)
                continue
            history = {name: len(self.client.get_metric_history(run.info.run_id, name)) for name in run.data.metrics}
            trials[int(run.data.tags["tasksearch.trial"].split("/")[1])] = {
                "status": run.info.status,
                "params": run.data.params,
                "metrics": run.data.metrics,
                "points": history,
                "tags": run.data.tags,
                "started": run.info.start_time,
                "ended": run.info.end_time,
                "files": sorted(f.path for f in self.client.list_artifacts(run.info.run_id)),
            }
        (parent,) = parents
        assert {t["tags"]["mlflow.parentRunId"] for t in trials.values()} <= {parent.info.run_id}
        return {"trials": trials, "status": parent.info.status, "summary": parent.data.metrics}

    def test_a_second_process_finds_the_runs_of_the_first(self):
        for _ in range(2):
            tracker = self.tracker()
            tracker.open_study(CONFIG, TAGS)
            tracker.write_trial(record(), {})
        assert len(self.runs()) == 2

    def test_a_half_written_trial_is_completed_and_an_orphan_is_ended(self):
        tracker = self.tracker()
        tracker.open_study(CONFIG, {})
        for number in (0, 1):
            tags = {"tasksearch.trial": f"first-1a2b/{number}", "mlflow.parentRunId": tracker.parent_id}
            tags["tasksearch.study"] = "first-1a2b"
            self.client.create_run(tracker.experiment_id, 1_700_000_000_250, tags, "half")
        again = self.tracker()
        again.open_study(CONFIG, {})
        again.write_trial(record(0), {})
        again.close_study({}, {}, complete=False)
        trials = self.seen()["trials"]
        assert {number: trial["status"] for number, trial in trials.items()} == {0: "FINISHED", 1: "KILLED"}

    def test_a_run_whose_making_was_not_answered_is_made_once(self, monkeypatch):
        tracker = self.tracker()
        tracker.open_study(CONFIG, {})
        make = tracker._client.create_run

        def lose_the_answer(*args):
            make(*args)
            raise ConnectionError("the answer was lost")

        monkeypatch.setattr(tracker._client, "create_run", lose_the_answer)
        with pytest.raises(Unreachable, match="the answer was lost"):
            tracker.write_trial(record(), {})
        monkeypatch.setattr(tracker._client, "create_run", make)
        tracker.write_trial(record(), {})
        assert len(self.runs()) == 2 and self.seen()["trials"][0]["status"] == "FINISHED"

    @pytest.mark.parametrize("order", [0, 1])
    def test_of_two_runs_of_one_trial_the_whole_one_stays(self, order):
        tracker = self.tracker()
        tracker.open_study(CONFIG, {})
        tags = {"tasksearch.trial": "first-1a2b/0", "tasksearch.study": "first-1a2b", "mlflow.parentRunId": tracker.parent_id}
        acts = [
            lambda: tracker.write_trial(record(), {}),
            lambda: self.client.create_run(tracker.experiment_id, 1_700_000_000_000 + order, tags, "made twice"),
        ]
        for act in acts[::-1] if order else acts:
            act()
        tracker.close_study({}, {}, complete=True)
        assert len(self.runs()) == 2 and self.seen()["trials"][0]["metrics"]["objective"] == 1.25

    @pytest.mark.parametrize("name", ["plan.json", "scores.csv"])
    def test_an_artefact_that_was_cut_short_is_written_again(self, name):
        self.tracker().open_study(CONFIG, {})
        self.latest.write_trial(record(), {})
        (path,) = self.folder.glob(f"mlartifacts/**/{name}")
        whole = path.read_bytes()
        path.write_bytes(whole[:-7])
        again = self.tracker()
        again.open_study(CONFIG, {})
        again.write_trial(record(), {})
        assert path.read_bytes() == whole and len(self.runs()) == 2

    def test_what_a_killed_upload_left_among_the_files_is_removed(self):
        self.tracker().open_study(CONFIG, {})
        self.latest.write_trial(record(), {})
        (path,) = self.folder.glob("mlartifacts/**/plan.json")
        path.with_name(".artifact.uploading.x1").write_text("half")
        again = self.tracker()
        again.open_study(CONFIG, {})
        again.write_trial(record(), {})
        assert self.seen()["trials"][0]["files"] == ["plan.json", "scores.csv", "scores.json"]

    def test_a_file_of_the_study_is_written_once_per_content(self, table, monkeypatch):
        tracker, written = self.tracker(), []
        tracker.open_study(CONFIG, {})
        log = tracker._client.log_artifact
        monkeypatch.setattr(tracker._client, "log_artifact", lambda *args: (written.append(args[1]), log(*args)))
        for content in ("{}", "{}", "{1}"):
            table.write_text(content)
            tracker.close_study({}, {"timings.json": table}, complete=False)
        assert len([path for path in written if path.endswith("timings.json")]) == 2

    def test_a_damaged_database_of_somebody_else_is_one_line_and_stays(self, tmp_path):
        other = tmp_path / "other.db"
        other.write_bytes(b"no database")
        with pytest.raises(BadInput, match=r"other\.db is damaged or not an MLflow database"):
            MlflowTracker(f"sqlite:///{other}", self.folder, "first-1a2b").open_study(CONFIG, {})
        assert other.read_bytes() == b"no database"

    def test_two_studies_of_one_name_share_an_experiment_and_no_run(self):
        self.tracker().open_study(CONFIG, {})
        other = MlflowTracker(None, self.folder, "first-9z")
        other.open_study(CONFIG, {})
        other.write_trial(record(), {})
        assert self.latest.experiment_id == other.experiment_id
        assert self.latest.parent_id != other.parent_id

    def test_artefacts_lie_under_the_study_and_hold_plan_and_scores(self):
        tracker = self.tracker()
        tracker.open_study(CONFIG, {})
        tracker.write_trial(record(), {})
        (plan,) = self.folder.glob("mlartifacts/**/plan.json")
        assert Plan.from_json(json.loads(plan.read_text())) == record().plan
        (scores,) = self.folder.glob("mlartifacts/**/scores.json")
        selecting = [score for score in record().scores if score.half == "select"]
        assert ScoreTable.from_json(json.loads(scores.read_text())) == ScoreTable.of(selecting)
        (table,) = self.folder.glob("mlartifacts/**/scores.csv")
        assert len(table.read_text().splitlines()) == 1 + len(selecting)

    def test_over_another_database_artefacts_still_lie_under_the_study(self, tmp_path, empty_database):
        (tmp_path / "shared.db").write_bytes(empty_database.read_bytes())
        tracker = MlflowTracker(f"sqlite:///{tmp_path / 'shared.db'}", self.folder, "first-1a2b")
        tracker.open_study(CONFIG, {})
        tracker.write_trial(record(), {})
        assert len(list(self.folder.glob("mlartifacts/**/plan.json"))) == 1

    def test_more_names_than_one_request_holds_are_all_written(self):
        tracker = self.tracker()
        tasks = tuple(f"task{i:03d}" for i in range(130))
        wide = dataclasses.replace(CONFIG, space=dataclasses.replace(CONFIG.space, tasks=tasks))
        tracker.open_study(wide, {})
        row = record().scores.rows[0]
        rows = [dataclasses.replace(row, half="select", language=f"l{i}") for i in range(1100)]
        tracker.write_trial(record(scores=ScoreTable.of(rows)), {})
        trial = self.seen()["trials"][0]
        assert sum(name.startswith("mix/task") for name in trial["params"]) == 130
        assert sum(name.startswith(f"dev/{row.target}/l") for name in trial["metrics"]) == 1100

    def test_the_warning_stands_on_the_studys_page_and_group_means_are_metrics(self):
        tracker = self.tracker()
        tracker.open_study(CONFIG, TAGS)
        tracker.write_trial(record(), {})
        parent = self.client.get_run(tracker.parent_id)
        assert parent.data.tags["mlflow.note.content"] == TAGS["tasksearch.warning"]
        metrics = self.seen()["trials"][0]["metrics"]
        assert metrics["dev/low_resource/mean"] == 50.0
        assert metrics["dev/all/mean"] == (55.0 + 25.0) / 2

    def test_a_run_of_an_earlier_version_keeps_its_scores_and_is_found_whole(self, monkeypatch):
        from tasksearch.tracking import mlflow as module
        from tasksearch.tracking.entries import View, entry_of
        from tasksearch.tracking.lookup import run_faults

        tracker, own = self.tracker(), entry_of
        tracker.open_study(CONFIG, {})
        with monkeypatch.context() as before:
            before.setattr(module, "entry_of", lambda *args, **_: own(*args, earlier=True))
            tracker.write_trial(record(role="finalist"), {})
        state, files = self.seen(), self.texts(0)
        assert state["trials"][0]["metrics"]["score/nli/sw"] == 60.0
        again = self.tracker()
        again.open_study(CONFIG, {})
        monkeypatch.setattr(again._client, "log_batch", None, raising=False)
        again.write_trial(record(role="finalist"), {})
        assert self.seen() == state and self.texts(0) == files
        view = View(tasks=CONFIG.space.tasks, groups=GROUPS, language_groups={"low_resource": ["yo"]})
        assert run_faults(again.uri, "first", "first-1a2b", [record(role="finalist")], view) == {}

    def test_learning_curves_are_stepped_metrics_written_once(self, tmp_path):
        curve = LearningCurve(steps=(2, 4), loss=(1.5, 0.5), learning_rate=(0.1, 0.05), examples_per_second=(80.0, 90.0))
        parts = {"intermediate/1": curve, "intermediate/0": curve, "target/nli": curve}
        ledger = Ledger(tmp_path)
        ledger.write_curves(0, parts)
        for _ in range(2):
            tracker = self.tracker()
            tracker.open_study(CONFIG, {})
            tracker.write_trial(record(), ledger.curve_files(0))
            tracker.rewrite_trial(record(), ledger.curve_files(0))
        (run,) = [run for run in self.runs() if "mlflow.parentRunId" in run.data.tags]

        def points(name):
            return [(m.step, m.value) for m in self.client.get_metric_history(run.info.run_id, name)]

        assert points("loss/intermediate") == [(2, 1.5), (4, 0.5), (6, 1.5), (8, 0.5)]
        assert points("learning_rate/target/nli") == [(2, 0.1), (4, 0.05)]
        assert points("english_dev/target/nli") == [(4, 80.0)]
        assert run.data.metrics["examples_per_second/target/nli"] == 90.0

    def test_training_data_are_data_sets_of_the_runs_that_trained_on_them(self):
        for _ in range(2):
            tracker = self.tracker()
            tracker._fingerprints = {"qqp": "a1" * 20, "mnli": "b2", "squad": "c3", "nli": "d4"}
            tracker.open_study(CONFIG, {})
            tracker.rewrite_trial(record(), {})
        (run,) = [run for run in self.runs() if "mlflow.parentRunId" in run.data.tags]
        told = {one.dataset.name: (one.dataset.digest, one.tags[0].value) for one in run.inputs.dataset_inputs}
        assert len(run.inputs.dataset_inputs) == 3
        assert told == {"qqp": ("a1" * 16, "intermediate"), "mnli": ("b2", "intermediate"), "nli": ("d4", "target")}

    def test_a_folder_becomes_the_next_version_of_a_registered_model(self, tmp_path):
        from tasksearch.tracking.registry import check_registry, register_model

        tracker = self.tracker()
        tracker.open_study(CONFIG, {})
        (tmp_path / "exported").mkdir()
        (tmp_path / "exported" / "config.json").write_text("{}")
        with pytest.raises(BadInput, match="--register 'a/b'; expected a name without"):
            check_registry(tracker.uri, "a/b")
        for version in (1, 2):
            own = {"experiment": "first", "study_id": "first-1a2b", "artefacts": self.folder / "mlartifacts"}
            told = register_model(tracker.uri, "nli-sw", tmp_path / "exported", tags={"target": "nli"}, **own)
            assert told == f"models:/nli-sw/{version}"
        source = self.client.get_model_version("nli-sw", "2").source
        assert (Path(source.removeprefix("file://")) / "config.json").read_text() == "{}"
        assert set(self.seen_again()["trials"]) == set()

    def seen_again(self):
        again = self.tracker()
        again.open_study(CONFIG, {})
        again.close_study({}, {}, complete=True)
        from tasksearch.tracking.lookup import recorded

        return {"trials": recorded(again.uri, "first", "first-1a2b")}

    def test_the_experiment_keeps_the_views_that_the_links_open(self):
        for _ in range(2):
            self.tracker().open_study(CONFIG, {})
        tags = self.client.get_experiment_by_name("first").tags
        table, mixes = (json.loads(tags[f"mlflow.sharedViewState.{key}"]) for key in view_keys("first-1a2b"))
        assert table["orderByKey"] == "metrics.`objective`" and "metrics.`dev/all/mean`" in table["selectedColumns"]
        assert mixes["compareRunCharts"][0]["selectedParams"] == ["mix/mnli", "mix/qqp", "mix/squad"]
        assert "finalist" not in mixes["searchFilter"]

    def test_the_charts_of_a_short_search_show_no_whole_training(self):
        tracker = self.tracker()
        tracker.open_study(dataclasses.replace(CONFIG, search_target_steps=0.25), {})
        short = record(0)
        tracker.write_trial(dataclasses.replace(short, plan=dataclasses.replace(short.plan, target_share=0.25)), {})
        tracker.write_trial(record(1, role="finalist"), {})
        experiment = self.client.get_experiment_by_name("first")
        mixes = json.loads(experiment.tags[f"mlflow.sharedViewState.{view_keys('first-1a2b')[1]}"])
        found = self.client.search_runs([experiment.experiment_id], mixes["searchFilter"])
        assert [run.info.run_name.split(":")[0] for run in found] == ["0000 short sequential"]
        assert all("0.25 of the target steps" in chart["displayName"] for chart in mixes["compareRunCharts"])
