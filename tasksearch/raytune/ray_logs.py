"""Ray's own logs, kept in the study's folder where something failed: they lie in a temporary folder, and only for a while."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tasksearch.core.address import without_secrets_in
from tasksearch.core.errors import Interrupted
from tasksearch.raytune.cluster import logs_folder

KEPT = "ray-logs"
"""Folder of the copies in a study's folder; a later failure replaces them."""

_LOG = logging.getLogger(__name__)
_TAIL = 256 * 2**10  # bytes of each file, its end
_FILES = 60  # the ones that were written last: 15 MiB at most


@contextmanager
def ray_logs_kept(study: Path, failed: Callable[[], bool]) -> Iterator[None]:
    """Keeps Ray's logs at the end where an error ends the run, or `failed` says that something else went wrong."""
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
    with suppress(OSError):  # what ended the run is what is told
        count = keep_tails(source, study / KEPT)
        _LOG.info("kept the ends of %d of Ray's logs in %s", count, study / KEPT)


def keep_tails(source: Path, place: Path) -> int:
    """Copies the ends of the files in `source` that were written last, secrets masked; returns how many.

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
