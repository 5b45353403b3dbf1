"""`ColumnCache`: the score tables of a study's records as one matrix, so that a big study is read at once.

    cache/scores.safetensors    values (trials, rows); its metadata hold what else a record says

The records themselves stay the truth: an entry is used for a record file whose bytes have the entry's hash, and for no other.
The cache may be deleted at any time; where it cannot be written or is damaged, the records are read as if there were none.
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
"""Records under which nothing is kept: they are read in a tenth of a second."""
_VERSION = "1"

Entry = tuple[dict[str, Any], Layout, Sequence[float], int]
"""What a record says beside its scores, then the scores' layout, values and seed."""


def read_cache(path: Path) -> dict[str, Entry]:
    """Digest of a record file → its entry; empty where there is no cache, or a damaged one."""
    try:
        return _load(path)
    except Exception:  # whatever is wrong with it: it is only a cache
        return {}


def record_of(entry: Entry) -> TrialRecord:
    """The record, its scores still a column."""
    rest, layout, values, seed = entry
    return TrialRecord.from_json(rest | {"scores": ScoreTable.of_column(layout, values, seed)})


def read_anew(data: Mapping[str, Any]) -> tuple[TrialRecord, Entry | None]:
    """The record from its file's JSON, and its entry; None where its scores are no column."""
    record = TrialRecord.from_json(data)
    column = record.scores.column()
    rest = {name: value for name, value in data.items() if name != "scores"}
    return record, None if column is None else (rest, *column)


def write_cache(path: Path, entries: Mapping[str, Entry]) -> None:
    """Keeps these, by the names of their files' content, whole or not at all; a folder that cannot be written is no error."""
    with suppress(TasksearchError):
        write_atomic(path, _bytes(entries))


def digest(content: bytes) -> str:
    """Name of a record file by its content."""
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
