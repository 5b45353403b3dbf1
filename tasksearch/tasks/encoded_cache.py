"""Disk cache of encoded items: records which process uses which file, and evicts files when the cache exceeds its limit.

The least recently used files are removed first. A file that a running process has opened is never removed: each process records
its files in a list under `.users`.
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
"""Environment variable: maximum disk space of encoded items (`20GB`)."""
DEFAULT_LIMIT = "20GB"

_USERS = ".users"
_ELSEWHERE_SECONDS = 24 * 3600.0  # another machine's list unchanged for this long belongs to a dead process
_own: set[tuple[int, Path]] = set()
"""(process, file) pairs already recorded by this process; a forked process records its own."""


def cached_encoding(name: str, kind: str, parts: Iterable[Encoded]) -> Encoded:
    """Return the items of that name from the cache; encode them from `parts` if they are missing.

    Raises:
        BadInput: the limit in the environment is not a size.
    """
    limit = size_of(os.environ.get(LIMIT) or DEFAULT_LIMIT)
    path = cache_folder() / "encoded" / f"{name}.arrow"
    _use(path)  # before it is opened, so that no other process removes it in between
    there = path.exists()
    items = stored(path, kind, parts)
    with suppress(OSError):
        os.utime(path)
    if not there:
        trim(path.parent, limit)
    return items


def trim(folder: Path, limit: int) -> list[str]:
    """Remove files until the rest takes at most `limit` bytes, except those in use; return the names of the removed files."""
    gone: list[str] = []
    with suppress(Timeout), FileLock(folder / ".trim.lock", timeout=0):  # skip if another process is already trimming
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
    """Record that this process uses a file."""
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
    """Return the files recorded by running processes; remove the lists of dead ones."""
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
