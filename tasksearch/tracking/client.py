"""MLflow's client with quiet logs, few retries, and errors in one line without secrets."""

from __future__ import annotations

import logging
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasksearch.core.errors import DiskFull, Refused, TasksearchError, Unreachable
from tasksearch.tracking.address import check_answers, masked, scrubbed

_QUIET = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Its last log line prints the tracking address with its password.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def open_client(uri: str) -> Any:
    """Open an `MlflowClient`. Settings in the user's environment take precedence."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    for noisy in ("alembic", "mlflow.store.db.utils", "mlflow.store.db", "mlflow.tracking"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # logs of every retry while a server is down
    # MLflow calls functions that SQLAlchemy deprecates; users cannot act on that.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"(mlflow|sqlalchemy|alembic)\b")
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def preload() -> None:
    """Import MLflow and its database store without opening anything, so that forks of this process start quickly."""
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
    from mlflow import MlflowClient  # noqa: F401


def forget_places() -> None:
    """Has MLflow look up anew where a run's files lie: it remembers that by the run, whatever its database says since."""
    from mlflow.tracking._tracking_service import utils

    getattr(utils, "_artifact_repos_cache", {}).clear()


def searchable(study_id: str) -> str:
    """Return the id as it is stored in runs: without quotes, which MLflow's filters cannot search for."""
    return study_id.replace("'", "_")


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """Context that turns foreign errors into one line without the address's secrets.

    Raises:
        DiskFull, Unreachable: for errors of MLflow, its database or the network.
    """
    try:
        yield
    except TasksearchError:
        raise
    except Exception as error:
        told = scrubbed(str(error) or type(error).__name__, uri)
        if "No space left" in told or "disk is full" in told or (_is_foreign(error) and _is_full(uri)):
            raise DiskFull(f"no room left where MLflow writes, {masked(uri)}; `tasksearch resume` goes on") from None
        if _is_foreign(error):
            if _is_gone(uri):
                raise Unreachable(
                    f"the MLflow server at {masked(uri)} went away; what is finished is kept: start it again, then "
                    "`tasksearch resume` goes on"
                ) from None
            kind = Refused if _is_final(error) else Unreachable
            said = told.partition("[SQL:")[0].strip().partition("\n")[0]
            raise kind(f"MLflow at {masked(uri)} failed: {said[:300]}") from None
        raise


_ROOM = 64 * 2**10  # bytes: less than SQLite's journal of one transaction takes

_FINAL = frozenset(
    (
        "ALREADY_EXISTS",
        "BAD_REQUEST",
        "CUSTOMER_UNAUTHORIZED",
        "FEATURE_DISABLED",
        "INVALID_PARAMETER_VALUE",
        "INVALID_STATE",
        "INVALID_STATE_TRANSITION",
        "MALFORMED_REQUEST",
        "NOT_FOUND",
        "NOT_IMPLEMENTED",
        "PERMISSION_DENIED",
        "RESOURCE_ALREADY_EXISTS",
        "RESOURCE_CONFLICT",
        "RESOURCE_DOES_NOT_EXIST",
        "UNAUTHENTICATED",
    )
)
"""Return MLflow's error codes for which a retry is useless (`mlflow.protos.databricks_pb2`)."""


def _is_final(error: Exception) -> bool:
    return str(getattr(error, "error_code", "")) in _FINAL


def _is_full(uri: str) -> bool:
    """Whether the disk of a database file has no room: SQLite then says many things, `disk I/O error` among them."""
    folder = Path(uri.removeprefix("sqlite:///")).parent
    try:
        return uri.startswith("sqlite:///") and shutil.disk_usage(folder).free < _ROOM
    except OSError:
        return False


def _is_gone(uri: str) -> bool:
    try:
        check_answers(uri, timeout=5.0)
    except Unreachable:
        return True
    return False


def _is_foreign(error: Exception) -> bool:
    from mlflow.exceptions import MlflowException

    return isinstance(error, MlflowException | OSError) or type(error).__module__.startswith(
        ("sqlalchemy", "requests", "urllib3")
    )
