"""An output folder that appears complete or not at all."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from tasksearch.core.errors import BadInput, DiskFull, no_room

NOTES = "tasksearch.json"
"""Notes on the training; the presence of this file marks a folder as an export."""


def check_out(out: Path, *, force: bool) -> None:
    """Raise BadInput for a file, or for a folder with content unless `force` is set."""
    if out.exists() and not out.is_dir():
        raise BadInput(f"--out {out} is a file; expected a folder that does not exist yet, or an empty one")
    if not force and out.is_dir() and any(out.iterdir()):
        raise BadInput(f"--out {out} is not empty; expected a new or empty folder, or --force to replace what is there")


@contextmanager
def whole_folder(out: Path, *, force: bool, room: int = 0) -> Iterator[Path]:
    """Yield a temporary folder beside `out`, and rename it to `out` when the block ends without an error.

    With `force` an earlier export is replaced. Other content is never deleted: it is renamed to `<out>.replaced-<id>`.

    Args:
        room: bytes that will be written.

    Raises:
        BadInput: as `check_out`, or the location cannot be written.
        DiskFull: less than `room` is free, or the disk fills up; nothing is left behind.
    """
    check_out(out, force=force)
    mark = uuid.uuid4().hex[:8]
    temporary = out.with_name(f".{out.name}.{mark}")
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        if (free := shutil.disk_usage(temporary).free) < room:
            raise DiskFull(f"{out} needs {room / 1e6:.0f} MB, {free / 1e6:.0f} MB are free there; free some, then run again")
        yield temporary
        _give_way(out, mark)
        temporary.rename(out)
    except (OSError, SafetensorError) as fault:
        if no_room(fault):
            raise DiskFull(f"no space left to write {out}; nothing of it was kept: free some, then run again") from None
        if isinstance(fault, SafetensorError):
            raise
        raise BadInput(f"cannot write {out}: {fault.strerror or fault}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _give_way(out: Path, mark: str) -> None:
    if not out.exists():
        return
    if not any(out.iterdir()):
        out.rmdir()
        return
    aside = out.with_name(f"{out.name}.replaced-{mark}")
    out.rename(aside)
    if (aside / NOTES).is_file():
        shutil.rmtree(aside, ignore_errors=True)
