"""Atomic file writes: after a crash a file holds either its old or its new content."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from tasksearch.core.errors import BadInput, DiskFull, no_room


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that after a crash it holds either the old or the new content, never a part.

    Writes a temporary file, syncs it, renames it and syncs the folder.

    Raises:
        DiskFull: no space is left; the old content stays.
        BadInput: the file cannot be written for another reason.
    """
    make_folder(path.parent)
    temporary: str | None = None
    try:
        name = str(path.parent / f".{path.name}.{secrets.token_hex(6)}.tmp")
        # not mkstemp, whose files only the owner can read: a study folder is shared as the umask allows
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        temporary = name
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - the temporary name is text
        _sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
        raise _translated(error, path) from error


def make_folder(folder: Path) -> None:
    """Create a folder with its parents; raises what `write_atomic` raises."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _translated(error, folder) from error


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # some network file systems refuse to sync a folder; the rename still holds
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _translated(error: OSError, path: Path) -> Exception:
    if no_room(error):
        return DiskFull(f"no room left to write {path}; free some space, then `tasksearch resume`: what is finished is kept")
    return BadInput(f"cannot write {path}: {error.strerror or error}")
