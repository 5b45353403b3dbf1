"""Which code this process trains with: where it lies, and a hash of the sources that decide numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("tasksearch", "trainables", "search_spaces")
"""Top-level packages of this project."""

DECIDING = (
    "tasksearch.phases",
    "tasksearch.training",
    "tasksearch.evaluation",
    "tasksearch.forward",
    "tasksearch.models",
    "tasksearch.tasks",
    "tasksearch.metrics",
    "trainables",
)
"""Packages whose sources decide what a training comes to. The rest may change without any score changing."""


@cache
def code_hash() -> str:
    """The first 16 hexadecimal digits of a SHA-256 over names and contents of the sources of `DECIDING`.

    Read once per process: a file that is edited later is not what this process has imported.
    """
    digest = hashlib.sha256()
    for package in DECIDING:
        if (folder := folder_of(package)) is None:
            continue
        for path in sorted(folder.rglob("*.py")):
            digest.update(f"{package}/{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()[:16]


def folder_of(package: str) -> Path | None:
    """Folder that a package is imported from in this process; None: it cannot be imported."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin).resolve().parent if spec and spec.origin else None


def other_code(found: Iterable[str | None]) -> tuple[str, ...]:
    """The hashes among those found that are not this code's; what was written before hashes were recorded counts as none."""
    return tuple(sorted({one for one in found if one and one != code_hash()}))
