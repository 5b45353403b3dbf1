"""Workers train with the driver's code, whatever stands in the current folder; other code is known and refused."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ray.tune.error import TuneError

from tasksearch.core.code_identity import code_hash
from tasksearch.core.errors import BadInput, VersionsDiffer
from tasksearch.raytune import cluster, driver, nodes
from tasksearch.raytune.provenance import check_trained_by
from tasksearch.raytune.searcher import StudyCallback
from tasksearch.records.ledger import Ledger

SCRIPT = Path(__file__).parents[1] / "planted_study.py"


@pytest.fixture
def poisoned(tmp_path):
    """A current folder as users have them: another checkout, trainables of their own, modules named like packages."""
    folder = tmp_path / "current"
    for package in ("tasksearch", "trainables", "search_spaces"):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text("raise RuntimeError('this is not the code that was started')")
    for module in ("tokenizers", "numpy", "random"):
        (folder / f"{module}.py").write_text("raise RuntimeError('this is not the package that was installed')")
    return folder


def test_a_script_started_in_a_folder_with_other_code_trains_with_its_own(poisoned, tmp_path):
    taken = ("RAY_", "TUNE_", "PYTHONPATH")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(taken)}
    command = [sys.executable, str(SCRIPT), str(tmp_path / "study"), "2", "{}"]
    done = subprocess.run(command, cwd=poisoned, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    records = Ledger(tmp_path / "study").records()
    assert {record.status for record in records} == {"done"} and len(records) == 18
    assert {dict(record.facts)["code"] for record in records} == {code_hash()}


def test_the_path_of_workers_is_the_drivers_in_its_order_and_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", "/first", "relative", "/last"])
    config = cluster.job_config()
    worker = ["/its own"]
    for entry in config._py_driver_sys_path:  # as Ray's workers do
        worker.insert(0, entry)
    assert worker == [str(tmp_path), "/first", str(tmp_path / "relative"), "/last", "/its own"]
    assert config._runtime_env_has_working_dir(), "Ray would add the current folder before all of these"


def test_a_current_folder_that_is_gone_is_no_entry(monkeypatch, tmp_path):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.setattr(sys, "path", ["", "/first"])
    assert cluster.driver_path() == ["/first"]


def test_workers_of_a_ray_that_was_started_elsewhere_are_asked_what_they_import(planted, local_cluster, tmp_path, monkeypatch):
    """A notebook's own Ray: its path is given, so all that is left is to look."""
    look = nodes.view_machine

    def another(*arguments):
        found = look(*arguments)
        return dataclasses.replace(found, imported_from={**found.imported_from, "tokenizers": "/elsewhere/tokenizers.py"})

    monkeypatch.setattr(nodes, "view_machine", another)
    with pytest.raises(
        BadInput, match=r"imports tokenizers from .*, the driver from /elsewhere/tokenizers.py; run from a folder"
    ):
        planted.run(tmp_path)


def test_a_worker_with_other_code_refuses_its_trial_and_the_run_ends(planted, local_cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "code_hash", lambda: "0123456789abcdef")
    with pytest.raises(VersionsDiffer, match=r"runs other code than the driver .*0123456789abcdef.*install the same") as caught:
        planted.run(tmp_path)
    assert "\n" not in str(caught.value)
    assert {record.status for record in Ledger(tmp_path).records()} == {"running"}


def test_trials_of_other_code_are_named_and_mixed_only_when_asked(planted, tmp_path):
    manager = planted.open_manager(tmp_path)
    planted.run_in_process(manager, tmp_path, most=5)
    records = Ledger(tmp_path).records()
    check_trained_by(tmp_path, records)

    def under(code, *numbers):
        facts = {} if code is None else {"code": code}
        return [dataclasses.replace(r, facts=tuple(facts.items())) if r.number in numbers else r for r in records]

    check_trained_by(tmp_path, under(None, 0, 1, 2))  # recorded before the code was
    with pytest.raises(
        VersionsDiffer, match=f"trial 2 was trained by other code .aaaa; this is {code_hash()}.*--accept-versions"
    ):
        check_trained_by(tmp_path, under("aaaa", 2))
    with pytest.raises(VersionsDiffer, match="2 trials from 1 to 3 were trained by other code"):
        check_trained_by(tmp_path, under("aaaa", 1, 3))


def test_a_study_under_other_code_goes_on_only_when_asked(planted, local_cluster, tmp_path):
    manager = planted.open_manager(tmp_path, trials=5, leaders=0)
    planted.run_in_process(manager, tmp_path, most=3)
    ledger = Ledger(tmp_path)
    first = next(record for record in ledger.records() if record.status == "done")
    ledger.write(dataclasses.replace(first, facts=(("code", "aaaa"),)))
    with pytest.raises(VersionsDiffer, match=f"trial {first.number} was trained by other code"):
        planted.run(tmp_path, trials=5, leaders=0)
    planted.run(tmp_path, trials=5, leaders=0, accept_versions=True)
    assert {record.status for record in ledger.records()} == {"done"}
    planted.run(tmp_path, trials=5, leaders=0)  # lacks nothing: nothing would be mixed


def test_what_ray_says_of_a_worker_that_is_lost_every_time_is_passed_on():
    told = []
    manager = SimpleNamespace(lose=lambda *arguments: told.append(arguments), fault=None)
    text = "The actor died in its creation task\n  File x\nModuleNotFoundError: No module named 'mine'\n"
    trial = SimpleNamespace(config={"number": 3}, get_error=lambda: TuneError(text))
    StudyCallback(manager, lambda: None).on_trial_error(0, [], trial)
    assert told == [(3, "its worker was lost 4 times; Ray says: ModuleNotFoundError: No module named 'mine'", 0)]
