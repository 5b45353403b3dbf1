"""Encoded items on disk in one memory-mapped Arrow file: written once, shared by all processes, never held as Python objects.

A file is one record batch with a row per item; `tokens` is a list of sequences, the other columns are those of `Encoded`.
Arrays returned to a reader are views of the file.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from tasksearch.tasks.encode import Encoded
from tasksearch.tasks.ragged import Ragged

_FLAT = ("positions", "tags", "offsets")


def stored(path: Path, kind: str, parts: Iterable[Encoded]) -> Encoded:
    """Return the items of the file; write it from `parts` first if it is missing or unreadable.

    Args:
        parts: consumed only if the file is written; the owners of each part count from 0.
    """
    found = _opened(path, kind)
    if found is not None:
        return found
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        found = _opened(path, kind)  # another process may have written it meanwhile
        if found is None:
            _write(path, kind, parts)
            found = _opened(path, kind)
    assert found is not None, f"{path} cannot be read back"
    return found


def _opened(path: Path, kind: str) -> Encoded | None:
    import pyarrow as pa

    try:
        batch = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
    except (OSError, pa.ArrowInvalid):
        return None
    tokens = batch.column("tokens")
    rows = {name: _ragged(batch, name) for name in _FLAT}
    return Encoded(
        kind=kind,
        tokens=Ragged(flat=_view(tokens.values.values), bounds=_view(tokens.values.offsets)),
        first=_view(tokens.offsets),
        owner=_view(batch.column("owner")),
        labels=_view(batch.column("labels")) if "labels" in batch.schema.names else np.empty(0, dtype=np.int64),
        spans=_view(batch.column("spans").values).reshape(-1, 2)
        if "spans" in batch.schema.names
        else np.empty((0, 2), np.int64),
        **rows,
    )


def _ragged(batch: Any, name: str) -> Ragged:
    if name not in batch.schema.names:
        return Ragged.of(())
    return Ragged(flat=_view(batch.column(name).values), bounds=_view(batch.column(name).offsets))


def _view(array: Any) -> npt.NDArray[Any]:
    return np.asarray(array.to_numpy(zero_copy_only=True))


def _write(path: Path, kind: str, parts: Iterable[Encoded]) -> None:
    """Append parts to scratch files, then map and write those as one batch: only one part is in memory at a time."""
    with tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as scratch:
        spill = _Spill(Path(scratch))
        for part in parts:
            spill.take(part)
        temporary = Path(scratch) / "whole.arrow"
        _save(temporary, spill)
        os.replace(temporary, path)  # noqa: PTH105 - as in the ledger


class _Spill:
    """Arrays that grow on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, IO[bytes]] = {}
        self._ends: dict[str, int] = {}
        self._types: dict[str, np.dtype[Any]] = {}
        self._owners = 0

    def take(self, part: Encoded) -> None:
        """Append a part; its bounds and owners continue from the end of the previous part."""
        self._ragged("tokens", part.tokens)
        self._bounds("first", part.first)
        self._append("owner", part.owner + self._owners)
        self._owners += int(part.owner[-1]) + 1 if len(part.owner) else 0
        for name in ("labels", "spans"):
            if len(getattr(part, name)):
                self._append(name, getattr(part, name))
        for name in _FLAT:
            if len(getattr(part, name)):
                self._ragged(name, getattr(part, name))

    def _ragged(self, name: str, rows: Ragged) -> None:
        self._append(f"{name}.flat", rows.flat)
        self._bounds(f"{name}.bounds", rows.bounds)

    def _bounds(self, name: str, bounds: npt.NDArray[np.int64]) -> None:
        if name not in self._ends:
            self._append(name, np.zeros(1, dtype=np.int64))
            self._ends[name] = 0
        self._append(name, bounds[1:] + self._ends[name])
        self._ends[name] += int(bounds[-1])

    def _append(self, name: str, values: npt.NDArray[Any]) -> None:
        if name not in self._files:
            self._files[name] = (self._folder / name).open("wb")
            self._types[name] = values.dtype
        np.ascontiguousarray(values, dtype=self._types[name]).tofile(self._files[name])

    def array(self, name: str) -> npt.NDArray[Any] | None:
        """Return everything appended, memory-mapped; None if nothing was."""
        if name not in self._files:
            return None
        self._files[name].close()
        path = self._folder / name
        return np.memmap(path, dtype=self._types[name], mode="r") if path.stat().st_size else np.empty(0, self._types[name])


def _save(path: Path, spill: _Spill) -> None:
    import pyarrow as pa

    columns: dict[str, Any] = {}
    sequences = _list(spill, "tokens")
    columns["tokens"] = pa.LargeListArray.from_arrays(pa.array(spill.array("first")), sequences)
    columns["owner"] = pa.array(spill.array("owner"))
    if (labels := spill.array("labels")) is not None:
        columns["labels"] = pa.array(labels)
    if (spans := spill.array("spans")) is not None:
        columns["spans"] = pa.FixedSizeListArray.from_arrays(pa.array(spans), 2)
    columns |= {name: column for name in _FLAT if (column := _list(spill, name)) is not None}
    batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    with path.open("wb") as file:
        with pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
        file.flush()
        os.fsync(file.fileno())


def _list(spill: _Spill, name: str) -> Any:
    import pyarrow as pa

    flat, bounds = spill.array(f"{name}.flat"), spill.array(f"{name}.bounds")
    return None if flat is None else pa.LargeListArray.from_arrays(pa.array(bounds), pa.array(flat))
