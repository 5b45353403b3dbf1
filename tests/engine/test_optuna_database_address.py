"""Addresses of databases: what is printed, kept and refused; what their faults mean."""

import subprocess
import sys

import pytest
import sqlalchemy.exc
from hypothesis import given
from hypothesis import strategies as st
from optuna.exceptions import StorageInternalError

from tasksearch.core.errors import BadInput, DiskFull, MissingPackage, Refused, Unreachable
from tasksearch.core.study import StudyConfig
from tasksearch.engine import optuna_database as database
from tasksearch.engine.optuna_database import (
    OptunaDatabase,
    check_database,
    close_storage,
    masked,
    meaning,
    open_database,
    remembered_address,
)
from tasksearch.engine.optuna_storage import trials_in_optuna

WORDS = st.text("abcdefXYZ0189", min_size=6, max_size=12)


@given(WORDS, WORDS, WORDS)
def test_what_is_printed_has_no_user_password_or_query_and_what_is_kept_has_the_user_alone(user, password, token):
    url = f"postgresql://u{user}:p{password}@host.example:5432/db?sslmode=require&sslpassword=t{token}"
    assert masked(url) == "postgresql://host.example:5432/db"
    assert remembered_address(url) == f"postgresql://u{user}@host.example:5432/db?sslmode=require"
    assert f"p{password}" not in repr(OptunaDatabase(url=url, study="s"))


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("sqlite:////a/b@c.db", "sqlite:////a/b@c.db"),
        ("postgresql:///name?host=/run&password=x", "postgresql:///name?host=/run"),
        ("mysql+pymysql://:x@h/name", "mysql+pymysql://@h/name"),
        ("postgresql://h/name", "postgresql://h/name"),
    ],
)
def test_an_address_is_kept_without_its_password(url, line):
    assert remembered_address(url) == line


def test_an_sqlite_file_is_kept_by_its_absolute_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert remembered_address("sqlite:///here.db") == f"sqlite:///{tmp_path}/here.db"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "expected sqlite:///FILE"),
        ("me:secretword@host", "expected sqlite:///FILE"),
        ("redis://me:secretword@host/0", "'redis://host/0'; expected sqlite:///FILE"),
        ("postgres://me:secretword@host/db", "begin with postgresql://"),
        ("postgresql://me:secretword@host:port/db", "cannot be read"),
        ("postgresql://me:12/secretword@host/db", "%2F"),
        ("postgresql://me:12#secretword@host/db", "%40"),
        ("sqlite://", "names no SQLite file"),
        ("sqlite:///", "names no SQLite file"),
        ("sqlite:///:memory:", "names no SQLite file"),
        ("sqlite://host/file", "names no SQLite file"),
        ("sqlite:////nowhere/at/all.db", "lies in no folder"),
    ],
)
def test_what_is_no_address_of_a_database_is_one_line_without_secrets(url, said):
    with pytest.raises(BadInput) as caught:
        check_database(url)
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert "secretword" not in str(caught.value)


def test_a_database_that_does_not_answer_is_one_line_without_secrets(monkeypatch):
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'tasksearch[postgres]'")
    for call in (check_database, open_database):
        with pytest.raises(Unreachable, match=r"postgresql\+psycopg://127\.0\.0\.1:1/db cannot be opened \(") as caught:
            call("postgresql+psycopg://me:secretword@127.0.0.1:1/db")
        assert "secretword" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_database_without_its_driver_says_what_to_install(monkeypatch):
    monkeypatch.setattr(database, "_is_there", lambda module: False)
    for kind, extra in (("postgresql", "postgres"), ("mysql", "mysql")):
        with pytest.raises(MissingPackage, match=rf"{kind}://host/db needs a driver: pip install 'tasksearch\[{extra}\]'"):
            check_database(f"{kind}://me:secretword@host/db")


@pytest.mark.parametrize(
    ("there", "url", "taken"),
    [
        ({"psycopg"}, "postgresql://me:pw@h/db", "postgresql+psycopg://me:pw@h/db"),
        ({"psycopg", "psycopg2"}, "postgresql://h/db", "postgresql+psycopg2://h/db"),
        ({"pymysql"}, "mysql://h/db", "mysql+pymysql://h/db"),
        (set(), "postgresql+pg8000://h/db", "postgresql+pg8000://h/db"),
    ],
)
def test_the_driver_that_is_installed_is_taken_where_none_is_named(monkeypatch, there, url, taken):
    monkeypatch.setattr(database, "_is_there", lambda module: module in there)
    assert database._with_driver(url) == taken


def test_a_driver_that_is_named_and_not_there_is_one_line(monkeypatch):
    with pytest.raises(MissingPackage, match="needs a package"):
        check_database("mysql+cymysql://me:secretword@127.0.0.1:1/db")


class Fault(Exception):
    """What a driver raises."""


def fault(kind, text, *, invalid=False):
    return kind("SELECT 1", {}, Fault(f"{text}\nDETAIL: more"), connection_invalidated=invalid)


@pytest.mark.parametrize(
    ("cause", "error", "said"),
    [
        (fault(sqlalchemy.exc.OperationalError, "server closed the connection"), Unreachable, "went away"),
        (fault(sqlalchemy.exc.ProgrammingError, "gone", invalid=True), Unreachable, "went away"),
        (fault(sqlalchemy.exc.InterfaceError, "connection is closed"), Unreachable, "went away"),
        (sqlalchemy.exc.TimeoutError("QueuePool limit"), Unreachable, "went away"),
        (sqlalchemy.exc.PendingRollbackError("Can't reconnect until"), Unreachable, "went away"),
        (fault(sqlalchemy.exc.ProgrammingError, "permission denied for table trials"), Refused, "permission denied for table"),
        (fault(sqlalchemy.exc.OperationalError, "database or disk is full"), DiskFull, "no room left"),
        (fault(sqlalchemy.exc.OperationalError, "attempt to write a readonly database"), BadInput, "cannot be written"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_database_that_is_away_is_told_from_one_that_refuses(cause, error, said, wrapped):
    told = cause
    if wrapped:
        told = StorageInternalError("An exception is raised during the commit.")
        told.__cause__ = cause
    meant = meaning(told, "the Optuna storage there")
    assert type(meant) is error and said in str(meant) and "\n" not in str(meant)
    assert isinstance(meant, Refused) == (error is Refused), "what refuses is not waited for"


def test_what_is_not_the_databases_stays_as_it_is():
    defect = ValueError("a defect")
    assert meaning(defect, "there") is defect


def test_each_width_of_a_space_has_a_study_of_its_own(toy):
    config = StudyConfig(name="toy", space=toy.space(), suite="lab", model="lab", targets=("nli",), languages=("en",))
    place = OptunaDatabase(url="sqlite:///x.db", study="toy-0a1b2c3d")
    assert place.name_of(config) == "toy-0a1b2c3d"
    wide = StudyConfig(**{**config.__dict__, "widened": 2})
    assert place.name_of(wide) == "toy-0a1b2c3d+2"


BEGIN = """
import sys
from tasksearch.engine.optuna_database import close_storage, open_database
storage = open_database(sys.argv[1])
close_storage(storage)
"""


def test_studies_that_begin_at_once_in_an_empty_database_all_find_its_tables(tmp_path):
    url = f"sqlite:///{tmp_path}/o.db"
    many = [subprocess.Popen([sys.executable, "-c", BEGIN, url], stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=120)[1] for process in many] == [""] * 4
    assert trials_in_optuna(tmp_path, "no such study", url) == {}


def test_an_address_with_braces_is_no_template(tmp_path):
    close_storage(open_database(f"sqlite:///{tmp_path}/{{o}}.db"))
    assert (tmp_path / "{o}.db").exists()
