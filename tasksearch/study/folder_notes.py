"""Small things that a study keeps in its folder: an address, a note for people. A damaged one is told, and never in the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tasksearch.core.atomic import write_atomic
from tasksearch.core.checksum import checked_json, is_damaged, read_checked, read_file
from tasksearch.core.errors import BadInput, Damaged


def keep_note(path: Path, told: Mapping[str, Any]) -> None:
    """Writes a note where there is something to say; a damaged one of before goes away."""
    if told:
        write_atomic(path, checked_json(told))
    elif path.is_file() and is_damaged(path):
        path.unlink()


def note_of(path: Path, shown: Callable[[Mapping[str, Any]], str]) -> str:
    """What a note comes to in words; empty where there is none."""
    if not path.exists():
        return ""
    try:
        return shown(read_checked(path))
    except (BadInput, KeyError, TypeError, AttributeError):
        return f"{path.name} is damaged: what it noted is not known; move it away, `tasksearch resume` writes it again"


def keep_address(path: Path, address: str) -> None:
    """Writes where something of the study lies: one line, whose end says that it is whole."""
    if path.is_dir():
        path.rename(path.with_name(f"{path.name}.damaged"))
    write_atomic(path, f"{address}\n".encode())


def address_of(path: Path, way_out: str) -> str | None:
    """What `keep_address` wrote; None where there is none.

    Raises:
        Damaged: it is not as it was written; the message ends with the way out.
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
