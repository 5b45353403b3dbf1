"""Keeps Ray's own logs in the study's folder if something failed: Ray writes them to a temporary folder and deletes them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tasksearch.core.address import without_secrets_in
from tasksearch.core.errors import Interrupted
from tasksearch.raytune.cluster import logs_folder

KEPT = "ray-logs"
"""Name of the folder with the copies, inside the study's folder; a later failure replaces them."""

_LOG = logging.getLogger(__name__)
_TAIL = 256 * 2**10  # bytes kept from the end of each file
_FILES = 60  # number of files kept, the most recently written: 15 MiB at most


@contextmanager
def ray_logs_kept(study: Path, failed: Callable[[], bool]) -> Iterator[None]:
    """Copy Ray's logs at the end if an error ends the run, or if `failed` returns True."""
    try:
        yield
    except Interrupted:
        raise
    except Exception:
        _keep(study)
        raise
    else:
        if failed():
            _keep(study)


def _keep(study: Path) -> None:
    source = logs_folder()
    if source is None:
        _LOG.info("Ray's logs are on its cluster's machines, in the folder logs of Ray's temporary folder")
        return
    with suppress(OSError):  # the user must see the error that ended the run, not one from copying logs
        count = keep_tails(source, study / KEPT)
        _LOG.info("kept the ends of %d of Ray's logs in %s", count, study / KEPT)


def keep_tails(source: Path, place: Path) -> int:
    """Copy the ends of the most recently written files of `source` to `place`, with secrets masked; return their number.

    Copies of an earlier failure are removed first.
    """
    place.mkdir(parents=True, exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    files = [path for path in source.iterdir() if path.is_file() and not path.is_symlink() and path.stat().st_size]
    chosen = sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)[:_FILES]
    for path in chosen:
        (place / path.name).write_text(without_secrets_in(_tail(path)), encoding="utf-8")
    return len(chosen)


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        return file.read().decode("utf-8", errors="replace")
