"""MLflow's SQLite file is looked at before it is trusted."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tasksearch.tracking.database import file_of, is_damaged, set_aside


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
