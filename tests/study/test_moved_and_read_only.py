"""A study folder that was moved or copied writes where it stands; one that cannot be written is read all the same."""

import logging
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.records import holdout_log as readings
from tasksearch.records.holdout_log import ask, holdout_uses
from tasksearch.records.ledger import Ledger
from tasksearch.study import moved
from tasksearch.study.best import best_of
from tasksearch.study.locations import optuna_address, remember_optuna, store_address, study_id
from tasksearch.study.run import resume_study
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.tracking.address import default_uri
from tasksearch.tracking.mlflow import MlflowTracker


def places(folder, name="mlflow.db"):
    with closing(sqlite3.connect(folder / name)) as line:
        found = line.execute("SELECT artifact_uri FROM runs UNION SELECT artifact_location FROM experiments").fetchall()
    return {place for (place,) in found if place.startswith("file:")}


def contents(folder):
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["elsewhere", "my study # ä"])
def test_a_copy_that_goes_on_writes_its_mlflow_files_into_itself_alone(tracked_folder, tmp_path, name):
    copy = shutil.copytree(tracked_folder, tmp_path / name)
    before = contents(tracked_folder)
    config, suite = Ledger(copy).config(), lab_suite()
    tracker = MlflowTracker(None, copy, study_id(copy, config.name), groups=suite.groups, language_groups=suite.language_groups)
    tracker.open_study(config, {})
    path = next((copy / "mlartifacts").glob("**/plan.json"))
    path.unlink()
    for record in Ledger(copy).records():
        tracker.write_trial(record, {})
    tracker.close_study({}, {}, complete=True)
    assert path.exists() and contents(tracked_folder) == before
    assert places(copy) and all(place.startswith((copy / "mlartifacts").as_uri()) for place in places(copy))


def test_addresses_into_the_old_folder_follow_the_study_and_others_stay(planted, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    ledger = Ledger(old)
    inside = {"data": str(old / "data"), "model": str(old), "tracking_uri": f"sqlite:///{old}/own.db"}
    ledger.save_config(planted.config(**inside, pretraining_text=(str(old / "text"), "/elsewhere/text")))
    store_address(old, str(old / "segments"))
    remember_optuna(old, f"sqlite:///{old}/optuna.db")
    assert moved.rebase(ledger) == []
    old.rename(new)
    (line,) = moved.rebase(Ledger(new))
    assert f"moved or copied here from {old}" in line
    config = Ledger(new).config()
    assert (config.data, config.model, config.tracking_uri) == (str(new / "data"), str(new), f"sqlite:///{new}/own.db")
    assert config.pretraining_text == (str(new / "text"), "/elsewhere/text")
    assert store_address(new) == str(new / "segments") and optuna_address(new) == f"sqlite:///{new}/optuna.db"
    assert moved.rebase(Ledger(new)) == [] and not old.exists()


def test_a_database_shared_with_other_studies_follows_the_study_that_moved_and_no_other(planted, tmp_path):
    suite, uri = lab_suite(), f"sqlite:///{tmp_path}/shared.db"
    for name in ("one", "two"):
        folder, config = tmp_path / name, planted.config(name=name, tracking_uri=uri)
        Ledger(folder).save_config(config)
        moved.rebase(Ledger(folder))
        identity = study_id(folder, name)
        MlflowTracker(uri, folder, identity, groups=suite.groups, language_groups=suite.language_groups).open_study(config, {})
    old, new, copy = tmp_path / "one", tmp_path / "new", tmp_path / "copy"
    shutil.copytree(tmp_path / "two", copy)
    old.rename(new)
    (line,) = moved.rebase(Ledger(new))
    assert line.endswith("writes here alone")
    found = places(tmp_path, "shared.db")
    assert {place.split("/mlartifacts")[0] for place in found} == {new.as_uri(), (tmp_path / "two").as_uri()}
    (line,) = moved.rebase(Ledger(copy))
    assert f"are those of {tmp_path / 'two'} too" in line and "one of the two" in line
    assert places(tmp_path, "shared.db") == found


def test_a_folder_whose_name_only_begins_alike_is_another(planted, tmp_path):
    old = tmp_path / "old"
    ledger = Ledger(old)
    ledger.save_config(planted.config(data=f"{old}-data"))
    moved.rebase(ledger)
    old.rename(tmp_path / "new")
    moved.rebase(Ledger(tmp_path / "new"))
    assert Ledger(tmp_path / "new").config().data == f"{old}-data"


def test_a_path_that_mlflow_would_misread_is_refused(tmp_path):
    with pytest.raises(BadInput, match="expected a path without '%41', which MLflow would read as 'A'"):
        default_uri(tmp_path / "a%41b")
    assert default_uri(tmp_path / "100%").endswith("100%/mlflow.db")


@pytest.fixture
def unwritable(planted_folder, tmp_path_factory, monkeypatch):
    """A study that belongs to somebody else: this process reads it as `nobody`, and a mode forbids writing.

    Asks for `monkeypatch` so that a test's working directory is restored after this process is root again.
    """
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody without write access")
    folder = shutil.copytree(planted_folder, tmp_path_factory.mktemp("theirs") / "study")
    for left in ("readings.json", "readings.lock", "report.html"):
        (folder / left).unlink(missing_ok=True)
    warm = shutil.copytree(folder, folder.with_name("warm"))  # what is imported late lies where nobody may read
    for command in ("best", "report", "trials"):
        assert CliRunner().invoke(app, [command, str(warm)]).exit_code == 0
    root = next(
        path for path in folder.parents if path.parent == Path(tempfile.gettempdir())
    )  # a parallel run has a folder more
    above = [path for path in folder.parents if path.is_relative_to(root)]
    modes = {path: path.stat().st_mode for path in above}
    for path in above:
        path.chmod(0o755)
    folder.chmod(0o755)
    os.seteuid(65534)
    try:
        yield folder
    finally:
        os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)


def test_a_reader_without_write_access_gets_every_answer_and_is_told_that_nothing_was_recorded(unwritable, monkeypatch, caplog):
    monkeypatch.chdir("/tmp")
    with caplog.at_level(logging.WARNING, logger="tasksearch.study"):
        result = CliRunner().invoke(app, ["best", str(unwritable), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.exception
    (line,) = [record.getMessage() for record in caplog.records if record.name == "tasksearch.study"]
    assert (
        line.startswith("this reading of the reporting examples was not recorded: cannot write") and "Permission denied" in line
    )
    assert CliRunner().invoke(app, ["trials", str(unwritable)]).exit_code == 0
    assert not (unwritable / "readings.json").exists() and not (unwritable / "readings.lock").exists()


def test_a_study_that_may_not_be_read_at_all_is_one_line(unwritable):
    os.seteuid(0)
    unwritable.chmod(0o700)
    os.seteuid(65534)
    with pytest.raises(BadInput, match="cannot be read: Permission denied") as caught:
        best_of(unwritable)
    assert "\n" not in str(caught.value)


def test_a_report_of_such_a_study_goes_into_the_working_directory(unwritable, monkeypatch, tmp_path_factory):
    os.seteuid(0)
    here = tmp_path_factory.mktemp("here")
    here.chmod(0o777)
    os.seteuid(65534)
    monkeypatch.chdir(here)
    result = CliRunner().invoke(app, ["report", str(unwritable)])
    assert result.exit_code == 0 and "wrote planted-report.html" in result.output
    assert (here / "planted-report.html").exists() and not (unwritable / "report.html").exists()
    other = CliRunner().invoke(app, ["report", str(unwritable), "--out", str(unwritable / "mine.html")])
    assert isinstance(other.exception, BadInput) and "cannot write" in str(other.exception)


def test_on_a_read_only_mount_or_a_full_disk_the_answer_is_given_too(tmp_path, monkeypatch, caplog):
    from tasksearch.core.errors import DiskFull

    def read_only(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(readings.FileLock, "acquire", read_only)
    monkeypatch.setattr(readings, "write_atomic", lambda *_: (_ for _ in ()).throw(DiskFull("no room left to write X; free")))
    with caplog.at_level(logging.WARNING, logger="tasksearch.study"):
        asked = ask(tmp_path, "pivot-dev", {"sw": "aaa"}, [("nli", "sw")])
    assert not asked.adaptive and "not recorded: no room left to write X; a later one" in caplog.text
    assert holdout_uses(tmp_path) == []


def test_a_cache_that_cannot_be_read_or_is_a_folder_costs_nothing(planted_folder, tmp_path):
    copy = shutil.copytree(planted_folder, tmp_path / "study")
    for path in (Ledger(copy).cache_path, copy / "readings.json"):
        path.unlink(missing_ok=True)
    was = best_of(copy).to_json()
    Ledger(copy).cache_path.mkdir(parents=True)
    assert best_of(copy).to_json() == was


def test_a_data_folder_that_is_gone_is_looked_for_where_the_environment_says(planted, tmp_path, monkeypatch):
    ledger = Ledger(tmp_path / "study")
    ledger.save_config(planted.config(data=str(tmp_path / "gone")))
    monkeypatch.setenv("TASKSEARCH_DATA", str(tmp_path / "not there either"))
    assert moved.follow_data(ledger) == [] and ledger.config().data == str(tmp_path / "gone")
    with pytest.raises(DataMissing, match=r"gone' is gone and TASKSEARCH_DATA names '.*not there either', which is no folder"):
        resume_study(ledger.folder)
    monkeypatch.delenv("TASKSEARCH_DATA")
    with pytest.raises(DataMissing, match=r"gone' is gone and TASKSEARCH_DATA is not set; expected it to name where"):
        resume_study(ledger.folder)
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("TASKSEARCH_DATA", str(tmp_path / "data"))
    (line,) = moved.follow_data(ledger)
    assert f"{tmp_path / 'gone'} is gone" in line and ledger.config().data == str(tmp_path / "data")
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("TASKSEARCH_DATA", str(tmp_path / "other"))
    assert moved.follow_data(ledger) == [] and ledger.config().data == str(tmp_path / "data")  # it is there
