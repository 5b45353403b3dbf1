"""MLflow's SQLite file: created complete or not at all, and checked before use."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import TasksearchError
from tasksearch.core.folders import cache_folder
from tasksearch.core.signature import signature_of
from tasksearch.tracking.client import open_client

_PREFIX = "sqlite:///"
_PLACES = (("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location"))
"""Tables and columns in which MLflow names its files by absolute addresses."""


def file_of(uri: str) -> Path | None:
    """Return the file of an SQLite address; None for any other address."""
    name = uri.removeprefix(_PREFIX).partition("?")[0]
    return Path(name) if uri.startswith(_PREFIX) and name and name != ":memory:" else None


def make_empty(path: Path) -> None:
    """Create MLflow's tables in a new file, under a temporary name first: MLflow cannot open a half-created file.

    MLflow makes them by seventy migrations that take two seconds. The result is kept in the cache and copied from then on.
    """
    temporary = path.with_name(f".{path.name}.new")
    for left in (temporary, temporary.with_name(f"{temporary.name}-journal")):
        left.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = _kept_tables()
    if not _copied(kept, temporary):
        open_client(f"{_PREFIX}{temporary}").search_experiments(max_results=1)
        _keep_tables(temporary, kept)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(path)


def _kept_tables() -> Path:
    """Return the place in the cache of an empty database of this MLflow, named by its version and its migrations."""
    import mlflow
    from mlflow.version import VERSION

    scripts = Path(mlflow.__file__).parent / "store/db_migrations/versions"
    name = signature_of("MLflow's tables", VERSION, sorted(path.name for path in scripts.glob("*.py")))
    return cache_folder() / "mlflow" / f"{name}.db"


def _copied(kept: Path, path: Path) -> bool:
    """Copy the kept tables to `path` and return whether that could be done; nothing is left there if not."""
    try:
        if not kept.is_file() or is_damaged(kept):
            return False
        shutil.copyfile(kept, path)
    except OSError:
        path.unlink(missing_ok=True)
        return False
    return True


def _keep_tables(path: Path, kept: Path) -> None:
    """Keep the tables of a new database, without the experiment `Default`, whose address is that of the current folder."""
    with (
        suppress(TasksearchError, sqlite3.Error, AttributeError),  # SQLite may be built without `serialize`
        closing(sqlite3.connect(path, timeout=30.0)) as line,
        closing(sqlite3.connect(":memory:")) as copy,
    ):
        line.backup(copy)
        copy.execute("DELETE FROM experiments")
        copy.commit()
        write_atomic(kept, copy.serialize())


def is_damaged(path: Path) -> bool:
    """Return whether SQLite finds the file malformed, or not its own.

    The size is checked first: SQLite takes a file shorter than a page for an empty database, and notices missing pages only
        when
    it reads them.
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
    except sqlite3.OperationalError:  # locked, or the disk is full: that says nothing about the file
        return False
    except sqlite3.DatabaseError:
        return True


def rebase_artefacts(path: Path, folder: Path, *, former: Path | None = None, look: bool = False) -> str | None:
    """Change the addresses of the artefacts of a study that was moved or copied to the folder where they are now.

    Args:
        path: the SQLite file.
        folder: the study's `mlartifacts` now.
        former: its `mlartifacts` before; needed for a file that several studies share. None: the file is the study's own, so
            every `mlartifacts` in it was the study's.
        look: change nothing.

    Returns:
        The address that the file held before; None if nothing was to be changed.

    Raises:
        sqlite3.Error: the file cannot be read or written.
    """
    now = folder.as_uri()
    before = None
    with closing(sqlite3.connect(path, timeout=30.0)) as line, line:
        found = line.execute("SELECT artifact_location FROM experiments WHERE artifact_location LIKE 'file:%/mlartifacts'")
        for (old,) in found.fetchall():
            if old == now or (former is not None and old != former.as_uri()):
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
    """Rename a damaged file and return its new name."""
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    with suppress(FileNotFoundError):  # the journal of an unfinished transaction
        path.with_name(f"{path.name}-journal").unlink()
    return aside
