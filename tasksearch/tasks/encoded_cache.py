"""The cache of encoded items: which process uses which file, and what goes when there is too much of it.

What was used least recently goes first. A file that a living process has opened stays, whatever the limit: each process keeps a
list of its own under `.users`.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from tasksearch.core.folders import cache_folder
from tasksearch.core.sizes import size_of
from tasksearch.tasks.encode import Encoded
from tasksearch.tasks.stored import stored

LIMIT = "TASKSEARCH_ENCODED_LIMIT"
"""Environment variable: how much disk encoded items may take (`20GB`)."""
DEFAULT_LIMIT = "20GB"

_USERS = ".users"
_ELSEWHERE_SECONDS = 24 * 3600.0  # another machine's list that did not change for so long is that of a dead process
_own: set[tuple[int, Path]] = set()
"""(process, file) that this process has on its list; a forked process starts its own."""


def cached_encoding(name: str, kind: str, parts: Iterable[Encoded]) -> Encoded:
    """The items of that name from the cache, made of `parts` where they are not there.

    Raises:
        BadInput: a limit in the environment that is no size.
    """
    limit = size_of(os.environ.get(LIMIT) or DEFAULT_LIMIT)
    path = cache_folder() / "encoded" / f"{name}.arrow"
    _use(path)  # before it is opened, so that nobody takes it away between
    there = path.exists()
    items = stored(path, kind, parts)
    with suppress(OSError):
        os.utime(path)
    if not there:
        trim(path.parent, limit)
    return items


def trim(folder: Path, limit: int) -> list[str]:
    """Removes files until the rest takes at most `limit` bytes; those in use stay. Returns the names of what went."""
    gone: list[str] = []
    with suppress(Timeout), FileLock(folder / ".trim.lock", timeout=0):  # another process that trims is left to it
        files = []
        for path in folder.glob("*.arrow"):
            with suppress(OSError):
                files.append((path.stat().st_mtime_ns, path.name, path.stat().st_size))
        excess = sum(size for _, _, size in files) - limit
        needed = _in_use(folder) if excess > 0 else set()
        for _, name, size in sorted(files):
            if excess <= 0:
                break
            if name not in needed:
                (folder / name).unlink(missing_ok=True)
                (folder / f"{name}.lock").unlink(missing_ok=True)
                gone.append(name)
                excess -= size
    return gone


def _use(path: Path) -> None:
    """Puts a file on this process's list."""
    mine = (os.getpid(), path)
    if mine in _own:
        return
    users = path.parent / _USERS
    users.mkdir(parents=True, exist_ok=True)
    known = any(pid == os.getpid() and one.parent == path.parent for pid, one in _own)
    with (users / f"{socket.gethostname()}.{os.getpid()}").open("a" if known else "w", encoding="utf-8") as file:
        file.write(f"{path.name}\n")
    _own.add(mine)


def _in_use(folder: Path) -> set[str]:
    """Names on the lists of living processes; lists of dead ones are cleared."""
    names: set[str] = set()
    for path in (folder / _USERS).glob("*"):
        with suppress(OSError):
            if _lives(path):
                names.update(path.read_text("utf-8").split())
            else:
                path.unlink()
    return names


def _lives(path: Path) -> bool:
    host, _, pid = path.name.rpartition(".")
    if host == socket.gethostname():
        return bool(psutil.pid_exists(int(pid)))
    return time.time() - path.stat().st_mtime < _ELSEWHERE_SECONDS
