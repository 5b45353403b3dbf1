import shutil
import subprocess

import pytest


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """Calls the browser without a window: `chromium(url, *flags)` gives what it prints."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium on this machine; .ci/run installs it")
    quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"]

    def call(url, *flags):
        profile = tmp_path_factory.mktemp("profile")
        own = [f"--user-data-dir={profile}", "--disable-sync", "--hide-scrollbars", *quiet]
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", *own, *flags, url]
        return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stdout

    return call


@pytest.fixture(scope="session")
def tracked_folder(planted, tmp_path_factory):
    """A complete study with an end, an id, and all its runs in the MLflow database of its folder; made without Ray."""
    from tasksearch.records.ledger import Ledger
    from tasksearch.study.locations import study_id
    from tasksearch.study.moved import rebase
    from tasksearch.tasks.lab_suite import lab_suite
    from tasksearch.tracking.mlflow import MlflowTracker

    folder = tmp_path_factory.mktemp("tracked")
    ledger, suite = Ledger(folder), lab_suite()
    short = {"trials": 8, "leaders": 1, "leader_seeds": 3}  # MLflow takes a second a trial
    config = planted.config(**short)
    ledger.save_config(config)
    ledger.save_sizes(planted.SIZES)
    manager = planted.open_manager(folder, **short)
    planted.run_in_process(manager, folder)
    manager.close()
    tracker = MlflowTracker(
        None, folder, study_id(folder, config.name), groups=suite.groups, language_groups=suite.language_groups
    )
    tracker.open_study(config, {})
    for record in ledger.records():
        tracker.write_trial(record, {})
    tracker.close_study({}, {}, complete=True)
    rebase(ledger)
    return folder


@pytest.fixture(scope="session")
def train_in_process():
    """Trains all trials of a study one after the other, as the driver asks for them, without Ray; gives its ledger."""
    from tasksearch.engine.optuna_storage import OptunaMirror, open_storage
    from tasksearch.engine.trial_manager import TrialManager
    from tasksearch.records.ledger import Ledger
    from trainables.three_phase import ThreePhase

    def train(setup, config, folder, **own):
        ledger = Ledger(folder)
        ledger.save_config(config)
        ledger.save_sizes(setup.sizes)
        mirror = OptunaMirror(open_storage(ledger.optuna_path), config.optuna_name, config.space)
        tables = {"sizes": setup.sizes, "groups": setup.suite.groups, "plan_of": setup.plan_of(config)}
        manager = TrialManager(ledger, config, mirror, **tables, write=lambda record: None, on_event=lambda event: None)
        context = setup.context(config, folder) | {"study_folder": str(folder)} | own
        while (record := manager.next()) not in (None, "finished"):
            told = {"number": record.number, "role": record.role, "addition": record.addition, "context": context}
            actor = ThreePhase(told | {"plan": record.plan.to_json()})
            report = actor.step()
            while not report.get("done"):
                report = actor.step()
            manager.finish(record.number, report, record.addition)
        manager.close()
        return ledger

    return train
