"""A relational database as storage of an Optuna study: its address, its driver, and the meaning of its errors."""

from __future__ import annotations

import importlib.util
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult

import optuna
from optuna.storages import BaseStorage

from tasksearch.core import address
from tasksearch.core.errors import BadInput, DiskFull, MissingPackage, Refused, Unreachable, first_line
from tasksearch.core.study import StudyConfig

_WISH = "sqlite:///FILE, postgresql://HOST/NAME or mysql://HOST/NAME"
_LOCKED_SECONDS = 30
_TABLE_TRIES = 5

_DRIVERS = {
    "postgresql": (("psycopg2", "psycopg2"), ("psycopg", "psycopg"), ("pg8000", "pg8000")),
    "mysql": (("mysqldb", "MySQLdb"), ("pymysql", "pymysql"), ("mysqlconnector", "mysql.connector")),
}
"""Kind of database → (name of a driver in an address, name of its module); the first installed one is used."""

_LIBPQ = {
    "connect_timeout": 10,
    # notice within a minute that a host is gone without closing its connections; Linux's default is two hours
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
_MYSQL = {"connect_timeout": 10, "read_timeout": 60, "write_timeout": 60}
_TIMEOUTS: dict[str, dict[str, int]] = {
    "psycopg2": _LIBPQ,
    "psycopg": _LIBPQ,
    "pg8000": {"timeout": 60},
    "mysqldb": _MYSQL,
    "pymysql": _MYSQL,
    "mysqlconnector": {"connection_timeout": 10},
}
"""Driver → connection arguments that limit how long to wait for a silent server, in the driver's own units."""

_EXTRAS = {"postgresql": "postgres", "mysql": "mysql"}


@dataclass(frozen=True, kw_only=True)
class OptunaDatabase:
    """Location of a study's Optuna study in a database.

    Attributes:
        url: address with its secrets; never printed, nor stored in the study.
        study: the study's unique id: a database may hold several studies of the same name.
    """

    url: str = field(repr=False)
    study: str

    def name_of(self, config: StudyConfig) -> str:
        """Return the name of the Optuna study: as in `StudyConfig.optuna_name`, there is one for each widening of the space."""
        return f"{self.study}{config.optuna_name.removeprefix(config.name)}"


def masked(url: str) -> str:
    """Return the address without user, password and query.

    Raises:
        BadInput: the address cannot be read.
    """
    return address.masked(_parts(url), url)


def remembered_address(url: str) -> str:
    """Return the address as a study stores it: without a password; an SQLite file by its absolute path.

    Raises:
        BadInput: it is not an address of a database.
    """
    parts = _checked(url)
    if parts.scheme == "sqlite":
        return f"sqlite:///{_file(parts).absolute()}"
    return address.without_secrets(parts)


def check_database(url: str) -> None:
    """Connect once without changing anything; for an SQLite file check only that its folder exists.

    Raises:
        BadInput: it is not an address of a database.
        MissingPackage: the database's driver is not installed.
        Unreachable: the database does not answer, or does not accept this user.
    """
    parts = _checked(url)
    if parts.scheme == "sqlite":
        if not _file(parts).absolute().parent.is_dir():
            raise BadInput(f"the Optuna storage {masked(url)} lies in no folder; expected {_WISH}, the folder of FILE there")
        return
    import sqlalchemy

    try:
        engine = sqlalchemy.create_engine(_with_driver(url), **_options(url))
        try:
            engine.connect().close()
        finally:
            engine.dispose()
    except Exception as fault:
        raise _not_opened(fault, url) from None


def open_database(url: str) -> BaseStorage:
    """Open Optuna's storage in the database and create its tables if they are missing.

    Raises:
        As `check_database` does.
    """
    from sqlalchemy.exc import SQLAlchemyError

    _checked(url)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for left in reversed(range(_TABLE_TRIES)):
        try:
            # Optuna formats the address as a template, so braces must be doubled
            return optuna.storages.RDBStorage(_with_driver(url).replace("{", "{{").replace("}", "}}"), _options(url))
        except SQLAlchemyError as fault:
            # two studies that start at the same time both create the tables; the slower one finds them at its next try
            if left and not _is_away(fault, sqlite_too=False):
                time.sleep(0.2)
                continue
            raise _not_opened(fault, url) from None
        except Exception as fault:
            raise _not_opened(fault, url) from None
    raise AssertionError("the last try returns or raises")


def close_storage(storage: BaseStorage) -> None:
    """Close the connections to a database; a journal has none."""
    engine = getattr(storage, "engine", None)
    if engine is not None:
        storage.remove_session()
        engine.dispose()


def meaning(fault: Exception, where: str) -> Exception:
    """Return the error to show for an error of an open storage; errors that are not the storage's are returned unchanged.

    Args:
        fault: the exception.
        where: name of the storage in messages.
    """
    from optuna.exceptions import StorageInternalError

    cause = _database_fault(fault)
    if cause is None and not isinstance(fault, StorageInternalError):
        return fault
    said = _said(cause or fault)
    if "disk is full" in said or "No space left" in said:
        return DiskFull(f"no room left for {where}; free some, then `tasksearch resume`: what is finished is kept")
    if "readonly database" in said:
        return BadInput(f"{where} cannot be written: {said}")
    if cause is None or _is_away(cause):
        return Unreachable(f"{where} went away; what is finished is kept: start it again, then `tasksearch resume` goes on")
    return Refused(f"{where} refuses: {said}; mend that, then `tasksearch resume` goes on")


def _parts(url: str) -> SplitResult:
    parts = address.split_address(url, "the Optuna storage's address", _WISH)
    if parts.netloc and "@" in f"{parts.path}{parts.query}{parts.fragment}":  # an '@' in a password would split it
        raise BadInput(
            "the Optuna storage's address has an '@' behind its host; expected %40 for it, %2F for '/' in a password"
        )
    return parts


def _checked(url: str) -> SplitResult:
    parts = _parts(url)
    kind = parts.scheme.split("+", 1)[0]
    if kind == "postgres":
        raise BadInput(f"the Optuna storage {masked(url)!r}; expected it to begin with postgresql://")
    if kind not in ("sqlite", *_DRIVERS) or (parts.scheme != "sqlite" and kind == "sqlite"):
        shown = repr(masked(url)) if parts.netloc or "@" not in url else "as given"
        raise BadInput(f"the Optuna storage {shown}; expected {_WISH}, or `journal` for the file in the study's folder")
    if kind == "sqlite":
        _file(parts)
    return parts


def _file(parts: SplitResult) -> Path:
    """Return the path of `sqlite:///FILE`, which is what follows the third slash.

    Raises:
        BadInput: the address names no file, or has options after it.
    """
    name = parts.path.removeprefix("/")
    if parts.netloc or not parts.path.startswith("/") or not name or name.startswith((":memory:", "file:")) or parts.query:
        raise BadInput("the Optuna storage names no SQLite file; expected sqlite:///FILE, of an absolute path sqlite:////FILE")
    return Path(name)


def _with_driver(url: str) -> str:
    """Return the address with an installed driver, if it names none."""
    scheme, _, rest = url.partition("://")
    for driver, module in _DRIVERS.get(scheme, ()):
        if _is_there(module):
            return f"{scheme}+{driver}://{rest}"
    if scheme in _DRIVERS:
        raise MissingPackage(f"the Optuna storage {masked(url)} needs a driver: pip install 'tasksearch[{_EXTRAS[scheme]}]'")
    return url


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package of a dotted name is missing
        return False


def _options(url: str) -> dict[str, Any]:
    """Return arguments for connections that are checked before use and that do not wait long for a silent server."""
    scheme = _with_driver(url).partition("://")[0]
    if scheme == "sqlite":
        return {"connect_args": {"timeout": _LOCKED_SECONDS}}
    return {"connect_args": dict(_TIMEOUTS.get(scheme.partition("+")[2], {})), "pool_pre_ping": True}


def _not_opened(fault: Exception, url: str) -> Exception:
    """Return the error to show for a database that cannot be opened, as one line."""
    shown = masked(url)
    if isinstance(fault, MissingPackage):
        return fault
    if isinstance(fault, ImportError):
        return MissingPackage(f"the Optuna storage {shown} needs a package: {fault.name or fault}")
    cause = _database_fault(fault)
    if cause is None:
        return fault if not isinstance(fault, ValueError | RuntimeError) else BadInput(_scrubbed(fault, url))
    said = _scrubbed(cause, url)
    if not hasattr(cause, "orig"):
        return BadInput(f"the Optuna storage {shown}: {said}; expected {_WISH}")
    return Unreachable(
        f"the Optuna storage {shown} cannot be opened ({said}); expected a running database and, where it asks for one, the "
        "password in the address (--optuna-storage or TASKSEARCH_OPTUNA_STORAGE): no study keeps it"
    )


def _scrubbed(fault: Exception, url: str) -> str:
    return address.scrubbed(_said(fault), _parts(url), url)


def _said(fault: Exception) -> str:
    """Return the database's own message, without the statement and parameters that SQLAlchemy adds."""
    return first_line(getattr(fault, "orig", None) or fault).rstrip(" :;.")


def _database_fault(fault: BaseException | None) -> Exception | None:
    """Return the SQLAlchemy error that caused an error of Optuna's; None if there is none."""
    from sqlalchemy.exc import SQLAlchemyError

    while fault is not None and not isinstance(fault, SQLAlchemyError):
        fault = fault.__cause__
    return fault


def _is_away(fault: Exception, *, sqlite_too: bool = True) -> bool:
    """Return whether another try may succeed: there is no connection, or the file is locked.

    A connection that was lost within a transaction, where Optuna asks once more in another way, is a `PendingRollbackError`.
    """
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError
    from sqlalchemy.exc import TimeoutError as NoConnection

    if not sqlite_too and type(getattr(fault, "orig", None)).__module__ == "sqlite3":
        return "unable to open" in str(fault)
    gone = isinstance(fault, DBAPIError) and fault.connection_invalidated
    return gone or isinstance(fault, OperationalError | InterfaceError | NoConnection | PendingRollbackError)
