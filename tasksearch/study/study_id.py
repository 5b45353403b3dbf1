"""A study's unique id, which keeps the runs of two studies of the same name apart on one MLflow server."""

from __future__ import annotations

import uuid
from collections import Counter
from contextlib import nullcontext, suppress
from pathlib import Path

from tasksearch.core.errors import BadInput


def study_id(folder: Path, name: str) -> str:
    """Return the id stored in the study's folder, made at first use: the name and eight random hex digits.

    It is stored three times. A study that lost it would write every run again, and with only two copies that differ it would
    be unknown which is right. A line without its line end was cut short.
    """
    from tasksearch.core.atomic import write_atomic

    places = (folder / "study.id", folder / "trials" / "study.id", folder / "trials" / "study.id.copy")
    found = [_line(path) for path in places]
    whole = [line for line in found if line]
    line = Counter(whole).most_common(1)[0][0] if whole else f"{name}-{uuid.uuid4().hex[:8]}\n".encode()
    for path, there in zip(places, found, strict=True):
        if there != line:
            # in a read-only folder that lacks a copy, the others are enough
            with suppress(BadInput) if whole else nullcontext():
                if path.is_dir():
                    path.rename(path.with_name(f"{path.name}.damaged"))
                write_atomic(path, line)
    return line.decode().strip()


def _line(path: Path) -> bytes:
    """Return the contents of one copy; empty if it is missing or was cut short."""
    try:
        line = path.read_bytes()
        line.decode()
    except (OSError, ValueError):
        return b""
    return line if line.endswith(b"\n") else b""
