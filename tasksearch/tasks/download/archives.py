"""Unpack published archives: only selected members, to places below the data folder, up to a maximum size."""

from __future__ import annotations

import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from tasksearch.core.atomic import make_folder
from tasksearch.core.errors import BadInput, DiskFull, first_line, no_room
from tasksearch.tasks.download.transfer import place_of

LARGEST_RATIO = 40
"""Maximum ratio of unpacked to packed bytes; text compresses to a fifth or a tenth."""
_BLOCK = 1 << 18
_FAULTS = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError, NotImplementedError)


def unpack(archive: Path, root: Path, folder: str, members: Sequence[str], *, ratio: int = LARGEST_RATIO) -> list[str]:
    """Write the matching members to `root/folder` and return their places, sorted.

    A member's own path is not trusted: only its last parts, as many as the pattern has, form the place below the folder. Links,
    devices and macOS metadata (`__MACOSX`, `._NAME`) are ignored.

    Args:
        archive: a .zip, .tar, .tar.gz, .tgz or .tar.bz2, recognised by content.
        members: path patterns as in `fnmatch`, such as `MLQA_V1/*/*.json`.
        ratio: maximum bytes written per byte of the archive.

    Raises:
        BadInput: the archive is damaged, a member is encrypted or leaves the folder, or the unpacked size exceeds the limit.
        DiskFull: no space is left.
    """
    room = ratio * max(archive.stat().st_size, 1 << 20)
    places: dict[str, None] = {}
    try:
        for name, content in _files(archive):
            place = _place(name, folder, members)
            if place is None:
                continue
            if place in places:
                raise BadInput(f"{archive}: two members for {place}; nothing more is unpacked")
            with content() as source:
                room -= _write(source, place_of(root, place), room, archive)
            places[place] = None
    except _FAULTS as fault:
        raise BadInput(f"{archive}: damaged archive ({first_line(fault)}); fetch it again") from None
    except RuntimeError as fault:  # raised by zipfile for a member that needs a password
        raise BadInput(f"{archive}: {first_line(fault)}") from None
    return sorted(places)


def _place(name: str, folder: str, members: Sequence[str]) -> str | None:
    """Return the place of a member; None for one that is not requested."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part != "/"]
    if "__MACOSX" in parts or not parts or parts[-1].startswith("._"):
        return None
    for pattern in members:
        wanted = PurePosixPath(pattern).parts
        tail = parts[-len(wanted) :]
        if len(tail) == len(wanted) and all(fnmatchcase(part, want) for part, want in zip(tail, wanted, strict=True)):
            return "/".join((folder, *tail))
    return None


def _files(archive: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """Yield (path inside, function that opens it) for every regular file."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                if not info.is_dir() and not stat.S_ISLNK(info.external_attr >> 16):
                    yield info.filename, partial(packed.open, info)
        return
    with tarfile.open(archive) as tape:
        for member in tape:
            if member.isreg():
                yield member.name, cast("Callable[[], IO[bytes]]", partial(tape.extractfile, member))


def _write(source: IO[bytes], path: Path, room: int, archive: Path) -> int:
    """Copy one member to a temporary name and rename it; return its size in bytes."""
    make_folder(path.parent)
    part = path.with_name(f".{path.name}.part")
    size = 0
    try:
        with part.open("wb") as out:
            while block := source.read(_BLOCK):
                size += len(block)
                if size > room:
                    raise BadInput(f"{archive}: unpacks to far more than it should; stopped at {path.name}")
                out.write(block)
        os.replace(part, path)  # noqa: PTH105 - both names are in one folder
    except OSError as error:
        if no_room(error):
            raise DiskFull(f"no room left to unpack {path}; free some space and repeat the command") from None
        raise
    finally:
        part.unlink(missing_ok=True)
    return size
