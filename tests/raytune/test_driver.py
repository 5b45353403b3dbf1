"""The driver on the recorded trainable: the same study at any concurrency and after any end, nothing lost or doubled."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import psutil
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from tasksearch.core.errors import BadInput, DiskFull, StudyBusy, UnknownName, Unreachable
from tasksearch.core.logs import study_log
from tasksearch.raytune.cluster import QUIET
from tasksearch.records.ledger import Ledger

SCRIPT = Path(__file__).parents[1] / "planted_study.py"
pytestmark = pytest.mark.usefixtures("local_cluster")


def substance(folder):
    """What a study comes to: everything but clocks."""
    records = Ledger(Path(folder)).records()
    return [(r.number, r.role, r.status, r.plan, r.params, r.scores, r.objective, r.cause, r.facts) for r in records]


def optuna_trials(folder):
    storage = JournalStorage(JournalFileBackend(str(Ledger(Path(folder)).optuna_path)))
    return optuna.load_study(study_name="planted", storage=storage).get_trials()


@pytest.fixture(scope="module")
def reference(planted, tmp_path_factory):
    """A whole study at concurrency 2, with its tracker and events."""
    folder, tracker, events = tmp_path_factory.mktemp("reference"), planted.SilentTracker(), []
    summary = planted.run(folder, concurrency=2, tracker=tracker, on_event=events.append)
    return folder, tracker, events, summary


def test_a_study_runs_baseline_designs_search_and_finalists_in_that_order(reference):
    folder, _, _, summary = reference
    records = Ledger(folder).records()
    assert [r.role for r in records] == ["baseline"] * 3 + ["design"] * 6 + ["search"] * 7 + ["finalist"] * 2
    assert all(r.status == "done" and r.objective is not None for r in records)
    assert (summary.done, summary.failed, summary.ran) == (18, 0, 18)
    assert [r.plan.seed for r in records] == [0, 1, 2] + [0] * 13 + [1, 1]


def test_every_trial_reaches_optuna_and_the_tracker_once(reference):
    folder, tracker, events, _ = reference
    records = Ledger(folder).records()
    assert sorted(tracker.written) == [(r.number, "done", r.objective) for r in records]
    trials = optuna_trials(folder)
    assert [t.number for t in trials] == list(range(18))
    assert [t.value for t in trials] == [r.objective for r in records]
    assert trials[5].user_attrs["schedule"] == str(records[5].plan.schedule)
    finished = [e.record.number for e in events if type(e).__name__ == "TrialFinished"]
    assert sorted(finished) == list(range(18))


def test_outcomes_of_every_trial_give_its_scores(reference):
    folder = reference[0]
    ledger = Ledger(folder)
    for record in ledger.records():
        outcomes = ledger.outcomes(record.number)
        assert len(outcomes) == len(record.scores) == 12
        for score in record.scores:
            numerator, denominator = outcomes[score.target, score.language, score.half].sum(axis=0)
            assert score.value == pytest.approx(100 * numerator / denominator)


def test_concurrency_one_gives_the_same_trials_and_scores(reference, planted, tmp_path):
    planted.run(tmp_path, concurrency=1)
    assert substance(tmp_path) == substance(reference[0])


def test_a_study_that_lacks_nothing_returns_without_running_anything(reference, planted):
    folder, before = reference[0], substance(reference[0])
    tracker = planted.SilentTracker()
    summary = planted.run(folder, tracker=tracker)
    assert summary.ran == 0 and summary.first_step_seconds is None
    assert [number for number, *_ in tracker.written] == list(range(18)), "the tracker is brought up to date all the same"
    assert substance(folder) == before


def test_nothing_of_rays_is_left_in_the_study_folder(reference):
    assert {path.name for path in reference[0].iterdir()} == {
        "driver.lock",
        "driver.owner.json",
        "ended.json",
        "optuna.journal",
        "sizes.json",
        "study.json",
        "trials",
    }


def _driver(folder, context, home):
    command = [sys.executable, str(SCRIPT), str(folder), "2", json.dumps(context)]
    hushed = ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "PYTEST_CURRENT_TEST", "PYTEST_VERSION")  # MLflow heeds them
    environment = {k: v for k, v in os.environ.items() if k not in ("RAY_ADDRESS", *QUIET, *hushed)}
    environment["HOME"] = str(home)
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _wait_for(folder, finished, process):
    for _ in range(1200):
        if process.poll() is not None:
            raise AssertionError(f"the driver ended by itself: {process.communicate()}")
        if sum(r.status == "done" for r in Ledger(folder).records()) >= finished:
            return
        time.sleep(0.05)
    raise AssertionError("the driver made no progress in a minute")


def test_ctrl_c_then_kill_nine_then_resume_give_the_same_study(reference, planted, tmp_path, tmp_path_factory):
    slow, home = {"sleep": 0.6}, tmp_path_factory.mktemp("home")  # so that it has not ended before a busy machine looks again
    first = _driver(tmp_path, slow, home)
    _wait_for(tmp_path, 4, first)
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=60)
    assert first.returncode == 130, err
    assert "tasksearch resume" in out and len(out.splitlines()) == 1 and err == ""
    # Ray keeps the token that guards its ports there, whatever it is told
    assert {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()} <= {".ray/auth_token"}
    kept = len([r for r in Ledger(tmp_path).records() if r.status == "done"])
    assert kept >= 4

    second = _driver(tmp_path, slow, home)
    _wait_for(tmp_path, kept + 4, second)
    second.send_signal(signal.SIGKILL)
    second.communicate(timeout=60)
    with Ledger(tmp_path).optuna_path.open("ab") as journal:
        journal.write(b'{"op_code":6,"worker_id":"torn')

    planted.run(tmp_path, concurrency=2)
    assert substance(tmp_path) == substance(reference[0])
    assert [(t.number, t.params, t.value, t.state) for t in optuna_trials(tmp_path)] == [
        (t.number, t.params, t.value, t.state) for t in optuna_trials(reference[0])
    ]


def test_a_driver_that_loses_ray_itself_ends_with_a_line_in_bounded_time_and_nothing_is_lost(
    reference, planted, tmp_path, tmp_path_factory
):
    home = tmp_path_factory.mktemp("home")
    for name, finished in (("raylet", 2), ("gcs_server", 6)):
        run = _driver(tmp_path, {"sleep": 0.2}, home)
        _wait_for(tmp_path, finished, run)
        family = psutil.Process(run.pid).children(recursive=True)
        next(process for process in family if process.name() == name).kill()
        out, err = run.communicate(timeout=90)
        assert run.returncode not in (0, -signal.SIGKILL)
        assert f"Ray's process {name} ended (exit code -9)" in out + err and "tasksearch resume" in out + err
        assert not psutil.wait_procs(family, timeout=60)[1]
    planted.run(tmp_path, concurrency=2)
    assert substance(tmp_path) == substance(reference[0])


def test_trials_that_raise_or_score_nan_fail_alone_and_a_killed_worker_is_run_again(planted, tmp_path):
    planted.run(tmp_path, context={"raise_in": [4], "nan_in": [5], "kill_in": [7]}, trials=11, leaders=1)
    records = Ledger(tmp_path).records()
    assert [r.number for r in records if r.status != "done"] == [4, 5]
    assert records[4].cause == "RuntimeError: planted failure in trial 4"
    assert "is nan" in records[5].cause and records[5].objective is None
    assert "planted failure" in (tmp_path / "trials" / "0004.traceback.txt").read_text()
    assert (tmp_path / "killed.7").exists() and records[7].objective is not None
    states = [t.state for t in optuna_trials(tmp_path)]
    assert states[4] == states[5] == TrialState.FAIL and states[7] == TrialState.COMPLETE


def test_a_worker_killed_while_it_is_reset_for_its_next_trial_costs_no_trial(reference, planted, tmp_path):
    planted.run(tmp_path, context={"kill_at_reset_of": [5, 9, 13]})
    assert list(tmp_path.glob("killed.*")), "Ray reused no worker for any of them: nothing was shown"
    assert substance(tmp_path) == substance(reference[0])


def test_the_last_trial_in_flight_is_run_again_too_and_a_trial_whose_worker_dies_every_time_fails(planted, tmp_path):
    with study_log(tmp_path) as log:
        planted.run(tmp_path, context={"kill_in": [4], "kill_always_in": [3]}, trials=5, leaders=0)
    records = Ledger(tmp_path).records()
    told = log.read_text()
    assert "trial 4 lost its worker, loss 1 of at most 3: it is trained again" in told
    assert "trial 3 lost its worker, loss 4 of at most 3: it is given up" in told and "Ray on the loss of trial 3" in told
    kept = {path.name.partition(".")[0].partition("-")[0] for path in (tmp_path / "ray-logs").iterdir()}
    assert {"raylet", "worker"} <= kept
    assert [r.status for r in records] == ["done"] * 3 + ["failed", "done"] and (tmp_path / "killed.4").exists()
    assert records[3].cause.startswith("its worker was lost 4 times")


def test_a_full_disk_in_a_worker_ends_the_run_and_fails_no_trial(planted, tmp_path):
    with pytest.raises(DiskFull):
        planted.run(tmp_path, context={"full_in": [3]}, trials=5, leaders=0)
    records = Ledger(tmp_path).records()
    assert {r.status for r in records} <= {"done", "running"} and records[3].status == "running"


def test_asha_stops_no_baseline_and_no_finalist_and_tells_optuna_pruned(planted, tmp_path):
    planted.run(tmp_path, concurrency=1, scheduler="asha", leaders=1)
    records = Ledger(tmp_path).records()
    stopped = [r for r in records if r.status == "stopped"]
    assert stopped and {r.role for r in stopped} <= {"design", "search"}
    assert all(r.objective is None and len(r.scores.targets) == 1 for r in stopped)
    assert all(r.status == "done" for r in records if r.role in ("baseline", "finalist"))
    pruned = {t.number for t in optuna_trials(tmp_path) if t.state == TrialState.PRUNED}
    assert pruned == {r.number for r in stopped}


def test_a_second_driver_is_refused_with_the_owner(planted, tmp_path):
    with Ledger(tmp_path).lock(), pytest.raises(StudyBusy, match=f"process {os.getpid()}"):
        planted.run(tmp_path)


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"trials": 2}, BadInput, "2 trials; expected at least 3"),
        ({"sampler": "tpa"}, UnknownName, "did you mean 'tpe'"),
        ({"scheduler": "ahsa"}, UnknownName, "did you mean 'asha'"),
        ({"resources": {"cpu": 1.0, "gpu": 64.0}}, BadInput, "64 GPUs per trial; expected at most"),
    ],
)
def test_what_cannot_run_is_refused_in_one_line(planted, tmp_path, changes, error, text):
    with pytest.raises(error, match=text) as caught:
        planted.run(tmp_path, **changes)
    assert "\n" not in str(caught.value)


def test_an_address_that_does_not_answer_is_named():
    from tasksearch.raytune.cluster import _knock

    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        _knock("127.0.0.1:1")
    with pytest.raises(BadInput, match="host:port"):
        _knock("nonsense")
