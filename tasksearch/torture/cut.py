"""Truncate files of a study, and list the results that must survive it."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

from tasksearch.records.ledger import Ledger

_LAST = 6
_WHOLE = (".lock", ".txt", ".log")  # locks are empty, logs are only for people


def cut(folder: Path, draw: random.Random) -> str | None:
    """Truncate one of the most recently written files at a random byte; return a description, or None if there is no file."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size and path.suffix not in _WHOLE]
    last = sorted(found, key=lambda path: path.stat().st_mtime_ns)[-_LAST:]
    if not last:
        return None
    path = draw.choice(last)
    size = path.stat().st_size
    left = draw.randrange(size)
    os.truncate(path, left)
    return f"{path.relative_to(folder)} cut from {size} to {left} bytes"


def kept_of(folder: Path) -> dict[int, Any]:
    """Return the records of finished trials: number → status, plan, parameters, scores and cause.

    A trial whose record or outcomes are damaged is left out, since it is run again.
    """
    kept, ledger = {}, Ledger(folder)
    for path in (folder / "trials").glob("[0-9]*[0-9].json"):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if data["status"] != "running" and not ledger.outcomes_are_damaged(int(data["number"])):
            kept[int(data["number"])] = {key: data[key] for key in ("status", "plan", "params", "scores", "cause")}
    return kept


def lost(before: dict[int, Any], after: dict[int, Any]) -> int | None:
    """Return the number of the first finished trial that is missing or changed; None if there is none."""
    return next((number for number, data in sorted(before.items()) if after.get(number) != data), None)
