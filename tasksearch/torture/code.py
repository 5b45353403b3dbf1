"""Identity of the tortured code: kills of one campaign are added up only if all hit the same code."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from tasksearch import __version__

_PACKAGES = ("search_spaces", "tasksearch", "trainables")
_DIGITS = 12


def code_version() -> str:
    """Return `0.1.0, sources 3f9a02c71be4`: the package's version and a hash of its Python files as they are on disk now."""
    return f"{__version__}, sources {hash_of([_folder(name) for name in _PACKAGES])}"


def hash_of(folders: list[Path]) -> str:
    """Return hex digits of a hash over relative names and contents of all Python files in the folders."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            content = path.read_bytes()
            digest.update(f"{folder.name}/{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()[:_DIGITS]


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    assert found is not None and found.origin is not None
    return Path(found.origin).parent
