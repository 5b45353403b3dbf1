"""A study's runs are found in the order asked for, and a search writes nothing."""

import pytest

from tasksearch.core.errors import StudyNotReady, Unreachable
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.tracking.lookup import find_runs
from tasksearch.tracking.mlflow import MlflowTracker

CONFIG = StudyConfig(
    name="found", space=SearchSpace(name="joint", summary=""), suite="lab", model="lab", targets=("nli",), languages=("sw",)
)


def trial(number):
    plan = Plan(
        suite="lab",
        schedule=Schedule.sequential([("qqp", 8)]),
        targets=("nli",),
        languages=("sw",),
        settings=PhaseSettings(),
        seed=number,
    )
    return TrialRecord(number=number, role="search", status="done", plan=plan, started=1.7e9, ended=1.7e9)


def test_runs_come_in_the_order_asked_for_and_of_one_study_alone(tmp_path):
    mine, other = "it's-mine", "other"
    trackers = {name: MlflowTracker(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path, name) for name in (mine, other)}
    for tracker in trackers.values():
        tracker.open_study(CONFIG, {})
        for number in range(3):
            tracker.write_trial(trial(number), {})
    uri = trackers[mine].uri
    experiment, runs = find_runs(uri, "found", mine, [2, 7, 0])
    assert experiment == trackers[mine].experiment_id
    assert runs == list(reversed(find_runs(uri, "found", mine, [0, 2])[1]))
    assert len(set(runs)) == 2
    assert not set(runs) & set(find_runs(uri, "found", other, range(3))[1])
    with pytest.raises(StudyNotReady, match="'lost'"):
        find_runs(uri, "lost", "nobody's", [0])


def test_looking_makes_no_database(tmp_path):
    with pytest.raises(StudyNotReady, match="run the study first"):
        find_runs(f"sqlite:///{tmp_path / 'mlflow.db'}", "found", "mine", [0])
    assert list(tmp_path.iterdir()) == []


def test_an_address_mlflow_does_not_know_is_one_line_without_its_password():
    with pytest.raises(Unreachable) as caught:
        find_runs("nosuchscheme://me:secretword@host/db", "found", "mine", [0])
    assert "secretword" not in str(caught.value)
    assert "\n" not in str(caught.value)
