"""Log files of a study: location, maximum size, and masking of secrets.

The package's modules log to `logging.getLogger(__name__)` and configure nothing, as libraries should. While a study runs,
`study_log` attaches a handler that writes to a file in the study's folder and removes it afterwards. Handlers that the user
configured for these loggers receive the same records as without it.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

from tasksearch.core.address import without_secrets_in

DRIVER_LOG = "driver.log"
"""Name of the driver's log in a study's folder; rotated files are `driver.log.1`, `driver.log.2` …"""

LOGGERS = ("tasksearch", "trainables", "search_spaces")
"""Packages whose log records are written."""

_BYTES, _OLDER = 4 * 2**20, 4  # a driver's log takes 20 MiB at most
_EARLY = 1000  # records that are kept until the study's folder is there
_FORMAT = "%(asctime)s %(levelname)-7s %(process)d %(name)s: %(message)s"


def driver_log(folder: str | os.PathLike[str]) -> Path:
    """Return the path of the driver's log of a study."""
    return Path(folder).absolute() / DRIVER_LOG


@contextmanager
def study_log(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Write the package's log records of level INFO and above to `driver.log` in the folder while the context is open.

    DEBUG records are written too if the user set the logger `tasksearch` to DEBUG. The folder is not created: records are kept
    in memory until it exists, and are lost if it never does. A log that cannot be written (a full disk) never ends a study.
    """
    path = driver_log(folder)
    with log_to(path, most_bytes=_BYTES, older=_OLDER):
        yield path


@contextmanager
def log_to(path: Path, *, most_bytes: int = 2**20, older: int = 1) -> Iterator[None]:
    """Write the package's log records to a file while the context is open; see `study_log` for which records.

    Args:
        path: log file; existing content is kept.
        most_bytes: size at which the file is renamed to `<name>.1` and a new one is started.
        older: number of rotated files to keep.
    """
    handler = _File(path, most_bytes, older)
    try:
        with _attached(handler, logging.INFO):
            yield
    finally:
        handler.close()


@contextmanager
def log_to_terminal() -> Iterator[None]:
    """Write the package's log records of level DEBUG and above to standard error while the context is open."""
    handler = _Terminal(level=logging.DEBUG)
    handler.setFormatter(_Masked("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S"))
    with _attached(handler, logging.DEBUG):
        yield


def log_unexpected(error: BaseException, folder: str | os.PathLike[str] | None = None) -> Path:
    """Log the traceback of an unexpected error with the command, versions and platform; return the file's path.

    Args:
        error: the exception, with its traceback.
        folder: study in which it happened; its `driver.log` is used if the folder exists and is writable. Otherwise
            `errors.log` in the user's state folder, or a new file in the temporary folder.
    """
    command = " ".join(sys.argv)
    facts = f"tasksearch {_own_version()}, Python {platform.python_version()}, {platform.platform()}"
    record = logging.LogRecord("tasksearch", logging.CRITICAL, __file__, 0, "unexpected error in `%s` (%s)", (command, facts),
        (type(error), error, error.__traceback__))  # fmt: skip
    places = [driver_log(folder)] if folder is not None and Path(folder).is_dir() else []
    for path in (*places, _state_folder() / "errors.log"):
        try:
            if path.parent == _state_folder():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o600)
            handler = _File(path, _BYTES, _OLDER, raises=True)
            try:
                handler.emit(record)
            finally:
                handler.close()
            return path
        except OSError:
            continue
    handle, name = tempfile.mkstemp(prefix="tasksearch-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(_Masked(_FORMAT).format(record) + "\n")
    return Path(name)


def _own_version() -> str:
    try:
        return version("tasksearch")
    except PackageNotFoundError:
        return "of a source tree"


def _state_folder() -> Path:
    """Return `$XDG_STATE_HOME/tasksearch`, else `~/.local/state/tasksearch`."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()) / "tasksearch"


class _Masked(logging.Formatter):
    """Formatter that masks secrets in the whole record, traceback included. Times carry their UTC offset."""

    def format(self, record: logging.LogRecord) -> str:
        text, given = record.exc_text, record.exc_info  # another handler may have cached an unmasked traceback there
        try:
            return without_secrets_in(super().format(record))
        finally:
            record.exc_text, record.exc_info = text, given

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        when = datetime.fromtimestamp(record.created).astimezone()
        return when.strftime(datefmt) if datefmt else when.isoformat(sep=" ", timespec="milliseconds")


class _File(RotatingFileHandler):
    """Rotating file handler that opens its file at the first record after the folder exists: a refused study leaves no file."""

    def __init__(self, path: Path, most_bytes: int, older: int, *, raises: bool = False) -> None:
        super().__init__(path, maxBytes=most_bytes, backupCount=older, encoding="utf-8", errors="replace", delay=True)
        self._raises, self._early = raises, list[logging.LogRecord]()
        self.setFormatter(_Masked(_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        if self.stream is None and not Path(self.baseFilename).parent.is_dir():
            self._early = [*self._early, record][-_EARLY:]
            return
        early, self._early = self._early, []
        for each in (*early, record):
            super().emit(each)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Ignore the error: an unwritable log must neither end a study nor fill its terminal with tracebacks."""
        if self._raises:
            raise  # noqa: PLE0704 - logging calls this while it handles the error


class _Terminal(logging.StreamHandler[Any]):
    """Handler that writes to whatever `sys.stderr` is at the time of a record: a live display replaces the stream."""

    def __init__(self, level: int) -> None:
        logging.Handler.__init__(self, level)

    @property
    def stream(self) -> TextIO:
        return sys.stderr


class _Onward(logging.Handler):
    """Handler that passes records to the user's handlers as if the logger still had its original level."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__(logger.getEffectiveLevel())
        self._parent = logger.parent if logger.propagate else None

    def handle(self, record: logging.LogRecord) -> bool:
        if self._parent is not None and self._parent.hasHandlers():
            self._parent.callHandlers(record)
        return True


@contextmanager
def _attached(handler: logging.Handler, level: int) -> Iterator[None]:
    """Attach the handler to each of the package's loggers, lowering their levels to `level` where they are higher."""
    with ExitStack() as stack:
        for name in LOGGERS:
            stack.enter_context(_attached_to(logging.getLogger(name), handler, level))
        yield


@contextmanager
def _attached_to(logger: logging.Logger, handler: logging.Handler, level: int) -> Iterator[None]:
    before, propagated, effective = logger.level, logger.propagate, logger.getEffectiveLevel()
    onward = _Onward(logger)
    logger.addHandler(handler)
    logger.addHandler(onward)
    logger.propagate = False
    logger.setLevel(min(effective, level))
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.propagate = propagated
        logger.removeHandler(onward)
        logger.removeHandler(handler)
