"""A study's own id: two studies of one name on one MLflow server never touch each other's runs."""

from __future__ import annotations

import uuid
from collections import Counter
from contextlib import nullcontext, suppress
from pathlib import Path

from tasksearch.core.errors import BadInput


def study_id(folder: Path, name: str) -> str:
    """The id kept in the study's folder, made at first use: the name and eight random hex digits.

    It is kept three times: a study that lost it would write every run a second time, and of two copies that differ nobody
    could tell which is right. A line that was cut short does not end.
    """
    from tasksearch.core.atomic import write_atomic

    places = (folder / "study.id", folder / "trials" / "study.id", folder / "trials" / "study.id.copy")
    found = [_line(path) for path in places]
    whole = [line for line in found if line]
    line = Counter(whole).most_common(1)[0][0] if whole else f"{name}-{uuid.uuid4().hex[:8]}\n".encode()
    for path, there in zip(places, found, strict=True):
        if there != line:
            # where a folder that is only read lacks a copy, the others will do
            with suppress(BadInput) if whole else nullcontext():
                if path.is_dir():
                    path.rename(path.with_name(f"{path.name}.damaged"))
                write_atomic(path, line)
    return line.decode().strip()


def _line(path: Path) -> bytes:
    """What a copy says; empty where it is gone or was cut short."""
    try:
        line = path.read_bytes()
        line.decode()
    except (OSError, ValueError):
        return b""
    return line if line.endswith(b"\n") else b""
