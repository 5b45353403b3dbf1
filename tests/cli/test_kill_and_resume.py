"""A study that was killed ends with the numbers of one that was not, at another concurrency too."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

ARGUMENTS = [
    "run", "--space", "joint_vs_seq", "--trials", "5", "--baseline-seeds", "3", "--leaders", "1", "--leader-seeds", "3",
    "--most-seeds", "3", "--controls", "none", "--steps", "32",
    "--target", "retrieval", "--target", "topic", "--phase1-steps", "30", "--language", "near1", "--json",
]  # fmt: skip


def command(*arguments):
    return [sys.executable, "-m", "tasksearch", *arguments]


def finished(folder):
    records = [json.loads(path.read_text()) for path in sorted((folder / "trials").glob("[0-9]*[0-9].json"))]
    return [record for record in records if record["status"] == "done"]


def what_counts(folder):
    keys = ("number", "role", "plan", "params", "scores", "objective")
    return [{key: record[key] for key in keys} for record in finished(folder)]


def outcomes(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "trials").glob("*.safetensors"))}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calm") / "study"
    done = subprocess.run(
        command(*ARGUMENTS, "--out", str(folder), "--concurrency", "1"),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_kill_9_and_resume_at_another_concurrency_give_the_same_study(undisturbed, tmp_path):
    folder = tmp_path / "study"
    process = subprocess.Popen(
        command(*ARGUMENTS, "--out", str(folder), "--concurrency", "2"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    while len(finished(folder)) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert process.poll() is None, "the study ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert 3 <= len(finished(folder)) < 8
    resumed = subprocess.run(
        command("resume", str(folder), "--concurrency", "2", "--json"), capture_output=True, text=True, timeout=400, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    assert what_counts(folder) == what_counts(undisturbed)
    assert outcomes(folder) == outcomes(undisturbed)
    assert optuna_numbers(folder) == optuna_numbers(undisturbed) == list(range(9))
    assert mlflow_keys(folder) == list(range(9))


@pytest.mark.long
def test_its_mixes_are_confirmed_on_a_wider_encoder(undisturbed, tmp_path):
    from tasksearch.lab.recipe import LabRecipe
    from tasksearch.phases.lab_model import ensure_lab_data
    from tasksearch.testing.tiny_models import write_tiny_model

    wide = write_tiny_model("xlm-roberta", ensure_lab_data(LabRecipe()) / "tokenizer", tmp_path / "wide", hidden_size=96)
    before = {path: path.read_bytes() for path in undisturbed.glob("*.json")}
    few = ["--baseline-seeds", "3", "--leaders", "1", "--leader-seeds", "1", "--most-seeds", "1", "--controls", "none"]
    asked = ["--from-study", str(undisturbed), "--confirm", "1", "--model", str(wide), "--target", "topic", *few]
    folder = tmp_path / "study"
    done = subprocess.run(
        command("run", *asked, "--language", "near1", "--target-steps", "5", "--out", str(folder), "--json"),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["verdict"]["transfer"]
    assert told["mixes"] == 2 and told["first_model"] == "lab" and told["second_model"] == str(wide)
    assert [(one["name"], one["languages"]) for one in told["shared"]] == [("topic", ["near1"])]
    small, large = (
        {json.dumps(record["plan"]["schedule"]): record["role"] for record in what_counts(place) if record["number"] in (3, 4)}
        for place in (undisturbed, folder)
    )
    assert len(small) == 2 and small.keys() == large.keys()
    assert {path: path.read_bytes() for path in undisturbed.glob("*.json")} == before


def optuna_numbers(folder):
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = JournalStorage(JournalFileBackend(str(folder / "optuna.journal")))
    [name] = optuna.get_all_study_names(storage)
    trials = optuna.load_study(study_name=name, storage=storage).trials
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    return [trial.number for trial in trials]


def mlflow_keys(folder):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
    experiment = next(e for e in client.search_experiments() if e.name != "Default")
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    return sorted(
        int(run.data.tags["tasksearch.trial"].rsplit("/", 1)[1]) for run in runs if "mlflow.parentRunId" in run.data.tags
    )
