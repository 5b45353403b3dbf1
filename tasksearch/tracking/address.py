"""Tracking addresses: whether they answer, and how they are printed. A password in one is never shown."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from tasksearch.core.errors import BadInput, Unreachable

_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
_FILES = ("", "file")


def default_uri(study_folder: Path) -> str:
    """SQLite under the study's folder."""
    return f"sqlite:///{study_folder.absolute() / 'mlflow.db'}"


def masked(uri: str) -> str:
    """The address without user, password and query."""
    parts = _split(uri)
    if not parts.netloc:
        return uri.split("?", 1)[0]
    return f"{parts.scheme}://{parts.netloc.rsplit('@', 1)[-1]}{parts.path}"


def scrubbed(text: str, uri: str) -> str:
    """One line of text without the address's secrets."""
    parts = _split(uri)
    text = text.replace(uri, masked(uri))
    for secret in (parts.netloc.rpartition("@")[0], parts.password, parts.query):
        text = text.replace(secret, "***") if secret else text
    return " ".join(text.split())


def check_answers(uri: str, timeout: float = 5.0) -> None:
    """Opens and closes a connection to the address, where it names a host.

    Raises:
        BadInput: not an address that MLflow can write to.
        Unreachable: nothing answers there within `timeout` seconds.
    """
    parts = _split(uri)
    scheme = parts.scheme.split("+", 1)[0]
    if scheme in _FILES:
        raise BadInput(f"tracking address {masked(uri)!r}; expected http(s)://host:port, sqlite:///file or another database")
    if not parts.hostname or scheme == "databricks":
        return
    port = parts.port or _PORTS.get(scheme)
    if port is None:
        return
    try:
        socket.create_connection((parts.hostname, port), timeout=timeout).close()
    except OSError as error:
        raise Unreachable(
            f"no MLflow server answers at {masked(uri)} ({error.strerror or error}); start it, or leave --tracking-uri out"
        ) from None


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        # The reason would quote the address, and with it what may be a password.
        raise BadInput("the tracking address cannot be read; expected http(s)://host:port or a database address") from None
    return parts
