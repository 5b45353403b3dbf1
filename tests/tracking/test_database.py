"""MLflow's SQLite file is looked at before it is trusted."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tasksearch.tracking.client import open_client
from tasksearch.tracking.database import file_of, is_damaged, make_empty, set_aside


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as line, line:
        line.execute("create table numbers (n integer)")
        line.executemany("insert into numbers values (?)", [(n,) for n in range(5000)])
    return path


def test_a_sound_database_is_not_damaged_and_one_cut_anywhere_is(database):
    whole = database.read_bytes()
    assert not is_damaged(database) and len(whole) > 8192
    for left in (0, 1, 99, 511, 1024, 4096, 5000, len(whole) // 2, len(whole) - 4096, len(whole) - 1):
        database.write_bytes(whole[:left])
        assert is_damaged(database), left
    database.write_bytes(b"no database at all")
    assert is_damaged(database)


def test_a_locked_database_is_not_damaged(database, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, timeout: connect(path, timeout=0.01))
    with closing(connect(database)) as line:
        line.execute("begin exclusive")
        assert not is_damaged(database)


def test_what_is_set_aside_takes_its_half_transaction_away(database):
    half = database.with_name("a.db-journal")
    half.write_bytes(b"half")
    content = database.read_bytes()
    assert set_aside(database).name == "a.db.damaged" and not half.exists() and not database.exists()
    assert database.with_name("a.db.damaged").read_bytes() == content


def test_only_a_file_is_a_file():
    assert file_of("sqlite:////tmp/x.db?mode=rw") == Path("/tmp/x.db")
    assert file_of("sqlite:///:memory:") is file_of("http://host:1") is file_of("postgresql://host/x") is None


def test_kept_tables_are_those_that_mlflow_makes(tmp_path, monkeypatch):
    def content(path):
        with closing(sqlite3.connect(path)) as line:
            return sorted(text for text in line.iterdump() if not text.startswith('INSERT INTO "experiments"'))

    monkeypatch.setenv("TASKSEARCH_CACHE", str(tmp_path / "cache"))
    made, copied = tmp_path / "made.db", tmp_path / "copied.db"
    make_empty(made)
    [kept] = (tmp_path / "cache").rglob("*.db")
    with monkeypatch.context() as patch:
        patch.setattr("tasksearch.tracking.database.open_client", lambda _: pytest.fail("nothing is left to make"))
        make_empty(copied)
    first, second = (
        [(one.experiment_id, one.name, one.artifact_location) for one in open_client(f"sqlite:///{path}").search_experiments()]
        for path in (made, copied)
    )
    assert first == second and [name for _, name, _ in first] == ["Default"]
    assert content(copied) == content(made)

    kept.write_bytes(kept.read_bytes()[:5000])
    make_empty(tmp_path / "again.db")
    assert not is_damaged(tmp_path / "again.db") and not is_damaged(kept), "a damaged copy is made anew"


def test_where_nothing_can_be_kept_the_tables_are_made_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("no folder")
    monkeypatch.setenv("TASKSEARCH_CACHE", str(tmp_path / "cache"))
    make_empty(tmp_path / "made.db")
    assert not is_damaged(tmp_path / "made.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "made.db"]
