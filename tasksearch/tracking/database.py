"""MLflow's SQLite file: made whole or not at all, and looked at before it is trusted."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from tasksearch.tracking.client import open_client

_PREFIX = "sqlite:///"
_PLACES = (("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location"))
"""Tables and columns in which MLflow names its files by absolute addresses."""


def file_of(uri: str) -> Path | None:
    """The file behind an SQLite address; None for any other address."""
    name = uri.removeprefix(_PREFIX).partition("?")[0]
    return Path(name) if uri.startswith(_PREFIX) and name and name != ":memory:" else None


def make_empty(path: Path) -> None:
    """MLflow's tables in a new file, under a temporary name first: MLflow cannot open what it was killed while making."""
    temporary = path.with_name(f".{path.name}.new")
    for left in (temporary, temporary.with_name(f"{temporary.name}-journal")):
        left.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    open_client(f"{_PREFIX}{temporary}").search_experiments(max_results=1)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(path)


def is_damaged(path: Path) -> bool:
    """Whether SQLite finds the file malformed, or not its own.

    It takes a file shorter than a page for an empty database, and one whose pages were cut off for whole until it reads them.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(100)
    page = int.from_bytes(head[16:18], "big")
    page = 65536 if page == 1 else page
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0") or not page or size % page or size < page:
        return True
    try:
        with closing(sqlite3.connect(path, timeout=30.0)) as line:
            return bool(line.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except sqlite3.OperationalError:  # locked, or the disk is full: nothing is known to be wrong with it
        return False
    except sqlite3.DatabaseError:
        return True


def rebase_artefacts(path: Path, folder: Path, *, look: bool = False) -> str | None:
    """Has the database of a study that was moved or copied say that its files lie under `folder`, where they now are.

    Args:
        path: the study's own database: every folder `mlartifacts` in it was the study's.
        folder: new `mlartifacts` folder.
        look: change nothing.

    Returns:
        The place that it named before; None where nothing was to be changed.
    """
    now = folder.as_uri()
    before = None
    with closing(sqlite3.connect(path, timeout=30.0)) as line, line:
        found = line.execute("SELECT artifact_location FROM experiments WHERE artifact_location LIKE 'file:%/mlartifacts'")
        for (old,) in found.fetchall():
            if old == now:
                continue
            before = old
            if look:
                break
            for table, column in _PLACES:
                if line.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", (table, column)).fetchone():
                    line.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                        f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                        (now, len(old) + 1, old, len(old) + 1, f"{old}/"),
                    )
    return before


def set_aside(path: Path) -> Path:
    """Renames a damaged file; returns its new name."""
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    with suppress(FileNotFoundError):  # half a transaction of the damaged file
        path.with_name(f"{path.name}-journal").unlink()
    return aside
