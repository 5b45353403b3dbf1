"""A study's own id: two studies of one name on one MLflow server never touch each other's runs."""

from __future__ import annotations

import uuid
from pathlib import Path


def study_id(folder: Path, name: str) -> str:
    """The id kept in the study's folder, made at first use: the name and eight random hex digits."""
    from tasksearch.search.ledger import write_atomic

    path = folder / "study.id"
    if not path.exists():
        write_atomic(path, f"{name}-{uuid.uuid4().hex[:8]}\n".encode())
    return path.read_text(encoding="utf-8").strip()
