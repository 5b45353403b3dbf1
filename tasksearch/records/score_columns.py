"""Cache of the score tables of a study's records as one array, so that a large study is read quickly.

    cache/scores.safetensors    one array of all values; its metadata hold the rest of each record

The record files stay authoritative: an entry is used only for a record file whose content has the entry's hash.
The cache may be deleted at any time; if it is damaged or cannot be written, records are read without it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import TasksearchError
from tasksearch.core.score import Layout, ScoreTable
from tasksearch.core.study import TrialRecord

LEAST = 50
"""Minimum number of records for which a cache is written: fewer are read in a tenth of a second."""
_VERSION = "1"

Entry = tuple[dict[str, Any], Layout, Sequence[float], int]
"""The other fields of a record, then the layout, values and seed of its scores."""


def read_cache(path: Path) -> dict[str, Entry]:
    """Return digest of a record file → its entry; empty if the cache is missing or damaged."""
    try:
        return _load(path)
    except Exception:  # any error means the same: there is no usable cache
        return {}


def record_of(entry: Entry) -> TrialRecord:
    """Return the record of an entry; its scores stay a column."""
    rest, layout, values, seed = entry
    return TrialRecord.from_json(rest | {"scores": ScoreTable.of_column(layout, values, seed)})


def read_anew(data: Mapping[str, Any]) -> tuple[TrialRecord, Entry | None]:
    """Parse a record file's JSON; return the record and its entry, or None if its scores have no column form."""
    record = TrialRecord.from_json(data)
    column = record.scores.column()
    rest = {name: value for name, value in data.items() if name != "scores"}
    return record, None if column is None else (rest, *column)


def write_cache(path: Path, entries: Mapping[str, Entry]) -> None:
    """Write the entries, keyed by digest, atomically; does nothing if the folder cannot be written."""
    with suppress(TasksearchError):
        write_atomic(path, _bytes(entries))


def digest(content: bytes) -> str:
    """Return the digest of a record file's content."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _bytes(entries: Mapping[str, Entry]) -> bytes:
    from safetensors.numpy import save

    layouts: dict[Layout, int] = {}
    heads, values = [], []
    for name, (rest, layout, found, seed) in entries.items():
        place = layouts.setdefault(layout, len(layouts))
        heads.append([name, place, seed, len(found), rest])
        values.append(np.array(found, dtype=np.float64))
    joined = np.concatenate(values) if values else np.zeros(0)
    head = json.dumps({"layouts": [layout.keys for layout in layouts], "records": heads}, ensure_ascii=False)
    check = digest(head.encode() + joined.tobytes())
    content: bytes = save({"values": joined}, metadata={"version": _VERSION, "head": head, "check": check})
    return content


def _load(path: Path) -> dict[str, Entry]:
    from safetensors import safe_open

    with safe_open(str(path), framework="np") as file:
        told, values = file.metadata(), file.get_tensor("values")
    if told["version"] != _VERSION or told["check"] != digest(told["head"].encode() + values.tobytes()):
        return {}
    head = json.loads(told["head"])
    layouts = [Layout(keys=tuple(tuple(key) for key in keys)) for keys in head["layouts"]]
    entries: dict[str, Entry] = {}
    start = 0
    for name, place, seed, count, rest in head["records"]:
        entries[name] = (rest, layouts[place], values[start : start + count].tolist(), seed)
        start += count
    return entries
