"""Files that a user names: a device that never ends, or gigabytes in place of a small file, are told before they are read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tasksearch.core.errors import BadInput

SMALL = 4_000_000
"""Bytes of a file that people write by hand, at most."""


def check_regular(path: Path, wanted: str) -> int:
    """The size of a file that is there, can be read, and ends.

    Args:
        wanted: what was expected, for the message.

    Raises:
        BadInput: it is none: not there, a folder, a device, a pipe, without permission.
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
    """`check_regular`, and at most `SMALL` bytes."""
    size = check_regular(path, wanted)
    if size > SMALL:
        raise BadInput(f"{path} has {size} bytes; expected {wanted}, at most {SMALL}")
