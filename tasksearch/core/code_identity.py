"""Identity of the running code: a hash of the sources that determine scores, and the folder of a package."""

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
"""Packages whose sources determine the result of a training. Changes elsewhere do not affect scores."""


@cache
def code_hash() -> str:
    """Return the first 16 hex digits of a SHA-256 over the names and contents of the sources of `DECIDING`.

    Computed once per process: a file edited later is not what this process has imported.
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
    """Return the folder that a package is imported from in this process; None if it cannot be imported."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin).resolve().parent if spec and spec.origin else None


def other_code(found: Iterable[str | None]) -> tuple[str, ...]:
    """Return the given hashes that differ from this code's.

    None and empty values, written before hashes were recorded, are ignored.
    """
    return tuple(sorted({one for one in found if one and one != code_hash()}))
