"""The last line of a run counts the trials that Optuna and MLflow hold as the records do, not how many they hold."""

import dataclasses
import shutil

import optuna
import pytest

from tasksearch.engine.optuna_storage import open_storage
from tasksearch.records.ledger import Ledger
from tasksearch.study.reconcile import counts_of
from tasksearch.tracking.client import open_client
from tasksearch.tracking.mlflow import MlflowTracker


def run(planted, folder, **changes):
    config = planted.config(trials=8, leaders=0, **changes)
    tracker = MlflowTracker(None, folder, "planted-1", groups=planted.GROUPS)
    tracker.open_study(config, {})
    manager = planted.open_manager(folder, write=lambda record: tracker.write_trial(record, {}), trials=8, leaders=0, **changes)
    planted.run_in_process(manager, folder)
    assert manager.complete
    tracker.close_study({}, {}, complete=True)
    return config, tracker


def counted(folder, config, tracker):
    return counts_of(Ledger(folder), config, tracker)


@pytest.fixture(scope="module")
def finished(planted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reconciled")
    Ledger(folder).save_config(planted.config(trials=8, leaders=0))
    config, tracker = run(planted, folder)
    return folder, config, tracker


def optuna_study(folder, config):
    return optuna.load_study(study_name=config.optuna_name, storage=open_storage(Ledger(folder).optuna_path))


def test_of_a_study_that_nobody_touched_every_trial_counts(finished):
    assert counted(*finished) == {"ledger": 8, "Optuna": 8, "MLflow": 8}


def test_a_trial_that_was_replaced_does_not_count_though_the_number_of_trials_is_right(planted, finished, tmp_path):
    folder, config, tracker = finished
    copy = shutil.copytree(folder, tmp_path / "study")
    storage = open_storage(Ledger(copy).optuna_path)
    old = optuna_study(copy, config).trials
    optuna.delete_study(study_name=config.optuna_name, storage=storage)
    new = optuna.create_study(study_name=config.optuna_name, storage=storage, direction="maximize")
    for trial in [*old[:6], optuna.create_trial(value=9.0)]:
        new.add_trial(trial)
    new.add_trial(optuna.create_trial(value=-50.0, user_attrs=old[6].user_attrs))
    assert len(new.trials) == len(old) and counted(copy, config, tracker)["Optuna"] == 6
    planted.run_in_process(planted.open_manager(copy, trials=8, leaders=0), copy)
    assert counted(copy, config, tracker)["Optuna"] == 8


def test_a_run_that_is_doubled_deleted_or_of_another_record_does_not_count(planted, finished, tmp_path):
    folder, config, tracker = finished
    copy = shutil.copytree(folder, tmp_path / "study")
    here = MlflowTracker(f"sqlite:///{copy / 'mlflow.db'}", copy, "planted-1", groups=planted.GROUPS)
    client = open_client(here.uri)
    own = "tags.`tasksearch.trial` = 'planted-1/{}'"
    runs = [client.search_runs([tracker.experiment_id], own.format(number))[0] for number in range(8)]
    client.delete_run(runs[1].info.run_id)
    client.set_tag(runs[2].info.run_id, "tasksearch.record", "of an earlier record")
    client.set_terminated(runs[3].info.run_id, "FAILED")
    tags = {name: value for name, value in runs[4].data.tags.items() if name != "mlflow.runName"}
    client.create_run(tracker.experiment_id, tags=tags)
    client.delete_tag(runs[5].info.run_id, "mlflow.parentRunId")
    assert counted(copy, config, here) == {"ledger": 8, "Optuna": 8, "MLflow": 3}
    said = here.open_study(config, {})
    for record in Ledger(copy).records():
        here.write_trial(record, {})
    here.close_study({}, {}, complete=True)
    assert counted(copy, config, here) == {"ledger": 8, "Optuna": 8, "MLflow": 8}
    assert any("1 of the study's runs were deleted" in line for line in said)


def test_a_study_that_grew_counts_with_what_its_trials_gained(planted, finished, tmp_path):
    copy = shutil.copytree(finished[0], tmp_path / "study")
    more = {"languages": ("en", "far", "near", "sov")}
    Ledger(copy).extend_config(planted.config(trials=8, leaders=0, **more))
    config, tracker = run(planted, copy, **more)
    assert counted(copy, config, tracker) == {"ledger": 8, "Optuna": 8, "MLflow": 8}


def test_a_place_that_does_not_answer_is_minus_one(finished):
    folder, config, _ = finished
    away = MlflowTracker("http://127.0.0.1:9", folder, "planted-1")
    assert counted(folder, dataclasses.replace(config, name=config.name), away)["MLflow"] == -1
