"""Tracking addresses: checks that they answer, and forms for printing. A password in one is never shown."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote

from tasksearch.core import address
from tasksearch.core.errors import BadInput, Unreachable

_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
_FILES = ("", "file")
_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")


def default_uri(study_folder: Path) -> str:
    """Return the SQLite address under the study's folder.

    Raises:
        BadInput: the folder's path cannot be part of a database address.
    """
    if "?" in str(study_folder.absolute()):
        raise BadInput(f"study folder {str(study_folder)!r}; expected a path without '?', where a database address would end")
    if found := _ESCAPE.search(str(study_folder.absolute())):
        raise BadInput(
            f"study folder {str(study_folder)!r}; expected a path without {found[0]!r}, which MLflow would read as "
            f"{unquote(found[0], errors='replace')!r}: rename that folder"
        )
    return f"sqlite:///{study_folder.absolute() / 'mlflow.db'}"


def masked(uri: str) -> str:
    """Return the address without user, password and query."""
    return address.masked(_split(uri), uri)


def kept(uri: str) -> str:
    """Return the address as a study stores it.

    A web server's address is stored without login: a token may be in the place of the user, and MLflow would prefer a user
    without password to its own environment variables.

    Raises:
        BadInput: it cannot be parsed.
    """
    parts = _split(uri)
    if not parts.netloc:
        return uri
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]) if parts.scheme in ("http", "https") else parts
    return address.without_secrets(bare)


def scrubbed(text: str, uri: str) -> str:
    """Return the text as one line without the address's secrets."""
    return address.scrubbed(text, _split(uri), uri)


def check_answers(uri: str, timeout: float = 10.0) -> None:
    """Check that an address answers: request a page of a web server, or connect to a database; skip one without a host.

    Raises:
        BadInput: MLflow cannot write to such an address.
        Unreachable: there is no answer within `timeout` seconds.
    """
    parts = _split(uri)
    scheme = parts.scheme.split("+", 1)[0]
    web = scheme in ("http", "https")
    if scheme in _FILES or (web and not parts.hostname):
        raise BadInput(f"tracking address {masked(uri)!r}; expected http(s)://host:port, sqlite:///file or another database")
    if not parts.hostname or scheme == "databricks":
        return
    try:
        if web:
            _ask(parts, timeout)
        elif port := parts.port or _PORTS.get(scheme):
            socket.create_connection((parts.hostname, port), timeout=timeout).close()
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        told = scrubbed(str(getattr(reason, "strerror", None) or reason), uri)
        raise Unreachable(
            f"no MLflow server answers at {masked(uri)} ({told}); start it, or leave --tracking-uri out"
        ) from None


def _ask(parts: SplitResult, timeout: float) -> None:
    """Wait for any HTTP answer. A connection alone is not enough: with a silent server MLflow retries for minutes.

    The request uses a proxy from the environment, as MLflow does.
    """
    host = parts.netloc.rsplit("@", 1)[-1]
    try:
        urllib.request.urlopen(
            f"{parts.scheme}://{host}{quote(parts.path.rstrip('/'), safe='/%')}/health", timeout=timeout
        ).close()
    except urllib.error.HTTPError as refused:
        refused.close()
    except urllib.error.URLError as error:
        # A server answers; MLflow's own settings decide whether its certificate is trusted.
        if not isinstance(error.reason, ssl.SSLCertVerificationError):
            raise


def _split(uri: str) -> SplitResult:
    return address.split_address(uri, "the tracking address", "http(s)://host:port or a database address")
