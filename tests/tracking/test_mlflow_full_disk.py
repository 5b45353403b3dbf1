"""A database whose disk is full is told in one line, whatever SQLite calls it, and never by its SQL."""

import collections
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from tasksearch.core.errors import DiskFull, Unreachable
from tasksearch.tracking import client
from tasksearch.tracking.client import translated

FAULT = OperationalError("INSERT INTO params (key) VALUES (?)", {"key": "x"}, sqlite3.OperationalError("disk I/O error"))
USAGE = collections.namedtuple("usage", "total used free")


@pytest.mark.parametrize(
    ("free", "kind", "said"), [(0, DiskFull, "no room left where MLflow writes"), (2**30, Unreachable, "disk I/O error")]
)
def test_a_fault_of_sqlite_is_one_line_without_sql(tmp_path, monkeypatch, free, kind, said):
    (tmp_path / "mlflow.db").write_bytes(b"")
    monkeypatch.setattr(client.shutil, "disk_usage", lambda _: USAGE(2**30, 2**30 - free, free))
    monkeypatch.setattr(client, "_is_gone", lambda _: False)
    with pytest.raises(kind, match=said) as caught, translated(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        raise FAULT
    assert "INSERT" not in str(caught.value) and "\n" not in str(caught.value)
