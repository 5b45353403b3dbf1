"""A study's own id: two studies of one name on one MLflow server never touch each other's runs."""

from __future__ import annotations

import uuid
from contextlib import nullcontext, suppress
from pathlib import Path

from tasksearch.core.errors import BadInput


def study_id(folder: Path, name: str) -> str:
    """The id kept in the study's folder, made at first use: the name and eight random hex digits.

    It is kept twice: a study that lost it would write every run a second time. A line that was cut short does not end.
    """
    from tasksearch.core.atomic import write_atomic

    places = (folder / "study.id", folder / "trials" / "study.id")
    whole = [line for path in places if path.exists() and (line := path.read_bytes()).endswith(b"\n")]
    line = whole[0] if whole else f"{name}-{uuid.uuid4().hex[:8]}\n".encode()
    for path in places:
        if not path.exists() or path.read_bytes() != line:
            # where a folder that is only read lacks the second copy, the first will do
            with suppress(BadInput) if whole else nullcontext():
                write_atomic(path, line)
    return line.decode().strip()
