"""Per-example outcomes of one trial as a safetensors file: an array of shape (n, 2) for every "target/language/half".

A report reads dozens of files with hundreds of arrays each, all with the same header. Each distinct header is therefore parsed
once, and arrays are views into the file's content; other files are read by safetensors' own loader, which copies. The header's
metadata contain a checksum of the whole file; files of earlier versions have none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.checksum import read_file
from tasksearch.core.errors import Damaged
from tasksearch.core.score import Half

Cell = tuple[str, str, Half]
"""(target, language, half), where half is `select` or `report`."""

Outcomes = Mapping[Cell, NDArray[np.float32]]
"""Cell → array of shape (n, 2): each example's numerator and denominator. The score is 100 · Σ numerator / Σ denominator."""

_KEY, _BLANK = b'"checksum":"', b"0" * 32
"""Position of the checksum in the header, and its placeholder: the checksum covers the file with the placeholder in it."""

Places = tuple[tuple[Cell, int, int], ...]
"""(cell, index of the first example, index after the last), counted over the whole file."""


def outcome_bytes(outcomes: Outcomes) -> bytes:
    """Return the content of the file."""
    from safetensors.numpy import save

    arrays = {"/".join(cell): np.ascontiguousarray(outcomes[cell], dtype=np.float32) for cell in sorted(outcomes)}
    content: bytes = save(arrays, metadata={"checksum": _BLANK.decode()})
    place = content.index(_KEY) + len(_KEY)
    return content[:place] + _digest(content).encode() + content[place + len(_BLANK) :]


def read_outcomes(path: Path) -> dict[Cell, NDArray[np.float32]]:
    """Read a file that `Ledger.write_outcomes` wrote; the arrays are read-only.

    Raises:
        Damaged: the file is damaged.
    """
    content = read_file(path)
    start = 8 + int.from_bytes(content[:8], "little")
    header = _checked(path, content, content[8:start])
    places = _places(header, len(content) - start)
    if places is None:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            return {cell_of(name): array for name, array in load(content).items()}
        except (SafetensorError, ValueError) as fault:
            raise _damaged(path, str(fault)) from None
    table = np.frombuffer(content, dtype="<f4", offset=start).reshape(-1, 2)
    return {cell: table[first:last] for cell, first, last in places}


def _checked(path: Path, content: bytes, header: bytes) -> bytes:
    """Return the header with the checksum blanked, so that equal headers are parsed once.

    A header without checksum is returned unchanged.

    Raises:
        Damaged: the content does not match the checksum.
    """
    found = header.find(_KEY)
    if found < 0:
        return header
    first = found + len(_KEY)
    last = first + len(_BLANK)
    blank = header[:first] + _BLANK + header[last:]
    if _digest(content[:8], blank, memoryview(content)[8 + len(header) :]).encode() != header[first:last]:
        raise _damaged(path, "its checksum is another")
    return blank


def _digest(*parts: bytes | memoryview) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _damaged(path: Path, why: str) -> Damaged:
    return Damaged(f"{path} is damaged ({why}); `tasksearch resume {path.parent.parent}` makes it again")


def cell_of(name: str) -> Cell:
    """Parse a cell from `nli/sw/report`."""
    target, language, half = name.rsplit("/", 2)
    return target, language, "select" if half == "select" else "report"


@lru_cache(maxsize=16)
def _places(header: bytes, size: int) -> Places | None:
    """Return where the arrays lie in `size` bytes after the header.

    None unless all are of single precision and shape (n, 2) and follow each other without gaps to the last byte.
    """
    try:
        arrays = {name: facts for name, facts in json.loads(header).items() if name != "__metadata__"}
        found, end = [], 0
        for name, facts in sorted(arrays.items(), key=lambda each: each[1]["data_offsets"]):
            (count, columns), (first, last) = facts["shape"], facts["data_offsets"]
            if facts["dtype"] != "F32" or columns != 2 or first != end or last - first != 8 * count:
                return None
            found.append((cell_of(name), first // 8, last // 8))
            end = last
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return tuple(found) if end == size else None
