"""Files cut short behind a study's back, and what of it must never be lost."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

from tasksearch.records.ledger import Ledger

_LAST = 6
_WHOLE = (".lock", ".txt", ".log")  # locks are empty, logs are read by people


def cut(folder: Path, draw: random.Random) -> str | None:
    """Cuts one of the files that were written last at any byte; says which; None where there is none."""
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
    """What is recorded of the finished trials: number → plan, parameters and scores.

    A trial whose record or outcomes are damaged is none: it is run again.
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
    """The first finished trial that is there no more, or otherwise."""
    return next((number for number, data in sorted(before.items()) if after.get(number) != data), None)
