"""Where the Optuna study lies: asked for, remembered, offered by the environment, and never kept with its password."""

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.study.locations import OPTUNA_VARIABLE, optuna_address, remember_optuna

PLAIN, SECRET = "postgresql://me@host/db", "postgresql://me:secretword@host/db"


@pytest.fixture(autouse=True)
def _no_offer(monkeypatch):
    monkeypatch.delenv(OPTUNA_VARIABLE, raising=False)


def test_a_study_has_its_journal_unless_asked_for_otherwise_and_nothing_is_written(tmp_path):
    assert optuna_address(tmp_path) is None
    remember_optuna(tmp_path, None)
    assert list(tmp_path.iterdir()) == []


def test_a_password_is_asked_for_again_and_the_address_is_not(tmp_path, monkeypatch):
    assert optuna_address(tmp_path, SECRET) == SECRET
    remember_optuna(tmp_path, SECRET)
    assert [path.read_text() for path in tmp_path.iterdir()] == [f"{PLAIN}\n"]
    assert optuna_address(tmp_path) == PLAIN
    monkeypatch.setenv(OPTUNA_VARIABLE, SECRET)
    assert optuna_address(tmp_path) == SECRET


def test_the_environment_gives_a_new_study_its_place_and_moves_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv(OPTUNA_VARIABLE, SECRET)
    assert optuna_address(tmp_path) == SECRET
    (tmp_path / "optuna.journal").touch()
    assert optuna_address(tmp_path) is None, "it was begun without"
    remember_optuna(tmp_path, "postgresql://me@elsewhere/db")
    assert optuna_address(tmp_path) == "postgresql://me@elsewhere/db"
    monkeypatch.setenv(OPTUNA_VARIABLE, "journal")
    assert optuna_address(tmp_path) == "postgresql://me@elsewhere/db"


def test_a_study_moves_by_the_option_and_back_to_its_journal(tmp_path):
    remember_optuna(tmp_path, optuna_address(tmp_path, f"sqlite:///{tmp_path}/o.db"))
    assert optuna_address(tmp_path) == f"sqlite:///{tmp_path}/o.db"
    assert optuna_address(tmp_path, "journal") is None
    remember_optuna(tmp_path, None)
    assert optuna_address(tmp_path) is None


def test_a_line_that_was_cut_short_is_asked_for_again(tmp_path):
    (tmp_path / "optuna.location").write_text("postgresql://me@h")
    with pytest.raises(BadInput, match="say once more where"):
        optuna_address(tmp_path)
