"""Logs in a study's folder, for `tasksearch logs` and `StudyResult.log`."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from tasksearch.core.errors import StudyNotReady
from tasksearch.core.logs import DRIVER_LOG


def log_files(folder: Path, trial: int | None = None) -> list[Path]:
    """Return the files of the driver's log, or of a trial's log with its additions and traceback; the current file last.

    Raises:
        StudyNotReady: there is no study, or it has no such log.
    """
    from tasksearch.records.ledger import Ledger

    ledger = Ledger(folder)
    if trial is None:
        files = _with_older(ledger.folder / DRIVER_LOG)
        if not files:
            ledger.config()  # raises if there is no study at all
            raise StudyNotReady(f"{ledger.folder} has no {DRIVER_LOG}: no study was run there by a version that writes one")
        return files
    ledger.config()
    additions = sorted((ledger.folder / "additions").glob(f"{trial:04d}.*.log"))
    traceback = ledger.record_path(trial).with_suffix(".traceback.txt")
    own = ledger.log_path(trial)
    files = [*(path for one in additions for path in _with_older(one)), *([traceback] if traceback.exists() else [])]
    files += _with_older(own)
    if not files:
        known = [int(path.stem) for path in ledger.trials_path.glob("[0-9]*.log")]
        wish = f"expected one of 0 to {max(known)}" if known else "no trial of it has one"
        raise StudyNotReady(f"trial {trial} of {ledger.folder} has no log; {wish}")
    return files


def last_lines(files: Sequence[Path], most: int) -> list[str]:
    """Return the last `most` lines of the files, read as one text; all lines if `most` is 0."""
    kept: deque[str] = deque(maxlen=most or None)
    for path in files:
        with path.open(encoding="utf-8", errors="replace") as file:
            kept.extend(line.rstrip("\n") for line in file)
    return list(kept)


def _with_older(path: Path) -> list[Path]:
    """Return a log file and the full files before it, the oldest first."""
    older = [one for one in path.parent.glob(f"{path.name}.[0-9]*") if one.suffix[1:].isdigit()]
    older.sort(key=lambda one: int(one.suffix[1:]), reverse=True)
    return [*older, *([path] if path.exists() else [])]
