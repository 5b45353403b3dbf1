"""Per-example outcomes of one trial as a safetensors file: an array of shape (n, 2) for every "target/language/half".

A report reads the files of dozens of trials with hundreds of arrays each, and all have the same header. So a header is
understood once, and arrays are views of the file's content; safetensors' own reader, which copies each, reads any other file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.checksum import read_file
from tasksearch.core.errors import Damaged
from tasksearch.core.score import Half

Cell = tuple[str, str, Half]
"""(target, language, half)."""

Outcomes = Mapping[Cell, NDArray[np.float32]]
"""Cell → array of shape (n, 2): each example's numerator and denominator. The score is 100 · Σ numerator / Σ denominator."""

Places = tuple[tuple[Cell, int, int], ...]
"""(cell, first example, one behind the last), counted over the file."""


def outcome_bytes(outcomes: Outcomes) -> bytes:
    """Content of the file."""
    from safetensors.numpy import save

    arrays = {"/".join(cell): np.ascontiguousarray(outcomes[cell], dtype=np.float32) for cell in sorted(outcomes)}
    content: bytes = save(arrays)
    return content


def read_outcomes(path: Path) -> dict[Cell, NDArray[np.float32]]:
    """From a file that `Ledger.write_outcomes` wrote; the arrays are not to be written to.

    Raises:
        Damaged: it is not as it was written.
    """
    content = read_file(path)
    start = 8 + int.from_bytes(content[:8], "little")
    places = _places(content[8:start], len(content) - start)
    if places is None:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            return {cell_of(name): array for name, array in load(content).items()}
        except (SafetensorError, ValueError) as fault:
            raise Damaged(
                f"{path} is damaged ({fault}); `tasksearch check {path.parent.parent} --repair`, then `tasksearch resume` "
                "makes it again"
            ) from None
    table = np.frombuffer(content, dtype="<f4", offset=start).reshape(-1, 2)
    return {cell: table[first:last] for cell, first, last in places}


def is_whole(file: BinaryIO) -> bool:
    """A safetensors file: eight bytes with the length of the header, the header, the tensors without gaps."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if not 0 < length <= size - 8:
        return False
    try:
        header = json.loads(file.read(length))
        ends = [int(facts["data_offsets"][1]) for name, facts in header.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return size == 8 + length + max(ends, default=0)


def cell_of(name: str) -> Cell:
    """`nli/sw/report` → its cell."""
    target, language, half = name.rsplit("/", 2)
    return target, language, "select" if half == "select" else "report"


@lru_cache(maxsize=16)
def _places(header: bytes, size: int) -> Places | None:
    """Where the arrays lie in `size` bytes behind the header; None where they are not all of single precision, of shape (n, 2),
    and one behind the other to the last byte.
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
