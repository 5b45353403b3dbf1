"""`resume` does what repeating `run` does with cut and damaged files: it mends them before it reads them."""

import shutil

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import Interrupted, StudyNotReady
from tasksearch.records.ledger import Ledger
from tasksearch.study import run as running


@pytest.fixture
def folder(planted, tmp_path):
    Ledger(tmp_path).save_config(planted.config())
    planted.run_in_process(planted.open_manager(tmp_path), tmp_path, most=8)
    return tmp_path


@pytest.fixture
def driven(monkeypatch):
    """Studies that came as far as their driver, with the numbers of their records then."""
    seen = []

    def drive(ledger, config, *_, **__):
        seen.append((config, [record.number for record in ledger.written()]))
        raise Interrupted("noted")

    monkeypatch.setattr(running, "drive", drive)
    return seen


@pytest.mark.parametrize("left", [0, 1, 200])
@pytest.mark.parametrize("name", ["trials/0005.json", "study.json"])
def test_a_cut_file_does_not_stop_a_resume(planted, folder, driven, name, left):
    path, there = folder / name, [record.number for record in Ledger(folder).records()]
    path.write_bytes(path.read_bytes()[:left])
    result = CliRunner().invoke(app, ["resume", str(folder)])
    assert isinstance(result.exception, Interrupted) and "finished trials are kept" in str(result.exception)
    ((config, numbers),) = driven
    assert config == planted.config() and Ledger(folder).config() == config
    assert numbers == [n for n in there if name == "study.json" or n != 5]


def test_a_folder_in_place_of_a_record_is_put_aside(folder, driven):
    (folder / "trials" / "0003.json").unlink()
    (folder / "trials" / "0003.json").mkdir()
    CliRunner().invoke(app, ["resume", str(folder)])
    ((_, numbers),) = driven
    assert 3 not in numbers and Ledger(folder).put_aside() == [3]


def test_a_folder_without_a_study_is_left_as_it_is(tmp_path, driven):
    shutil.rmtree(tmp_path)
    result = CliRunner().invoke(app, ["resume", str(tmp_path)])
    assert isinstance(result.exception, StudyNotReady) and not tmp_path.exists() and driven == []
