"""Small files in a study's folder: an address, or a note for the user. A damaged note is reported and never stops a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tasksearch.core.atomic import write_atomic
from tasksearch.core.checksum import checked_json, is_damaged, read_checked, read_file
from tasksearch.core.errors import BadInput, Damaged


def keep_note(path: Path, told: Mapping[str, Any]) -> None:
    """Write a note if there is something to say; otherwise remove a damaged earlier one."""
    if told:
        write_atomic(path, checked_json(told))
    elif path.is_file() and is_damaged(path):
        path.unlink()


def note_of(path: Path, shown: Callable[[Mapping[str, Any]], str]) -> str:
    """Return a note as text; empty if there is none."""
    if not path.exists():
        return ""
    try:
        return shown(read_checked(path))
    except (BadInput, KeyError, TypeError, AttributeError):
        return f"{path.name} is damaged: what it noted is not known; move it away, `tasksearch resume` writes it again"


def keep_address(path: Path, address: str) -> None:
    """Write the address of a part of the study as one line; its line end shows that it was written completely."""
    if path.is_dir():
        path.rename(path.with_name(f"{path.name}.damaged"))
    write_atomic(path, f"{address}\n".encode())


def address_of(path: Path, way_out: str) -> str | None:
    """Return the address that `keep_address` wrote; None if there is none.

    Raises:
        Damaged: the file is damaged or cut short; the message ends with `way_out`.
    """
    if not path.exists():
        return None
    try:
        line = read_file(path).decode()
    except (Damaged, ValueError) as fault:
        raise Damaged(f"{path} is damaged: {fault}; {way_out}") from None
    if not line.endswith("\n"):
        raise Damaged(f"{path} was cut short; {way_out}")
    return line.strip()
