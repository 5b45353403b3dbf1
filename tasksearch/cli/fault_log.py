"""Unexpected errors: the user sees one line, and a log keeps the traceback for developers."""

from __future__ import annotations

import os
import platform
import re
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path

from tasksearch import __version__
from tasksearch.core.errors import first_line
from tasksearch.core.folders import cache_folder

EXIT_CODE = 70
"""EX_SOFTWARE: an error of the program, not of its input."""

_LOGIN = re.compile(r"://[^/@\s]+@")


def unforeseen(fault: BaseException) -> str:
    """Return the line to print; write the traceback to a log that only its owner can read, without logins in addresses."""
    said = f"{type(fault).__name__}: {first_line(fault)}"
    text = "".join(traceback.format_exception(fault))
    head = f"tasksearch {__version__}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d %H:%M:%S')}\n\n"
    path = _keep(_LOGIN.sub("://***@", head + text))
    where = f"the whole account is in {path}" if path else "no log could be written"
    return f"unforeseen fault: {_LOGIN.sub('://***@', said)}; what is finished is kept, {where}"


def _keep(text: str) -> Path | None:
    name = f"tasksearch-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    for folder in (cache_folder() / "logs", Path(tempfile.gettempdir())):
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            return folder / name
    return None
