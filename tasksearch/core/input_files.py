"""Checks of user-given files before they are read: an endless device, or gigabytes instead of a small file, are refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tasksearch.core.errors import BadInput

SMALL = 4_000_000
"""Maximum size in bytes of a file that people write by hand."""


def check_regular(path: Path, wanted: str) -> int:
    """Return the size in bytes of a readable regular file.

    Args:
        wanted: what was expected, for the message.

    Raises:
        BadInput: the path is missing, a folder, a device or a pipe, or cannot be read.
    """
    try:
        found = path.stat()
        readable = os.access(path, os.R_OK)
    except (OSError, ValueError) as fault:
        raise BadInput(f"cannot read {path}: {getattr(fault, 'strerror', None) or fault}; expected {wanted}") from None
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise BadInput(f"{path} is {kind}; expected {wanted}")
    if not readable:
        raise BadInput(f"cannot read {path}: Permission denied; expected {wanted}")
    return found.st_size


def check_small(path: Path, wanted: str) -> None:
    """Check as `check_regular` does, and that the file has at most `SMALL` bytes."""
    size = check_regular(path, wanted)
    if size > SMALL:
        raise BadInput(f"{path} has {size} bytes; expected {wanted}, at most {SMALL}")
