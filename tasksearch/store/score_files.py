"""One file per trial with the per-example outcomes of its targets and languages, and what their trainings cost.

ROOT/ab/abcd….scores   a safetensors file with one tensor `<table's signature>/<target>/<language>/<half>` per cell; its
                       metadata hold, per table, label, seconds, code, library versions and a hash of its tensors

A file is rewritten whole under a temporary name, so it holds what it held before, or that and the new tables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tasksearch.core.code_identity import code_hash
from tasksearch.core.library_versions import library_versions
from tasksearch.store.remote import RemoteStore
from tasksearch.store.segment_store import SegmentStore, newer

FORMAT = 1
Arrays = Mapping[str, npt.NDArray[Any]]
_MOST_HEAD = 100_000_000  # the format's own limit
_LOCK, _LOCK_SECONDS = ".scores.lock", 120.0


@dataclass(frozen=True, kw_only=True)
class ScoreFacts:
    """What a score file says about its content.

    Attributes:
        tables: signature of a score table → its manifest: `signature`, `facts` (label, seconds, code), `versions`, `digest`.
        trainings: signature of a target's training → label, steps and seconds of it.
    """

    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    trainings: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NewTable:
    """A score table to store: arrays by cell, readable label, seconds that scoring took."""

    arrays: Arrays
    label: str
    seconds: float


def facts_of(store: SegmentStore, name: str) -> ScoreFacts:
    """Return what a score file holds, from its first bytes; empty where there is no readable file.

    Raises:
        StoreUnusable: a newer version wrote it.
    """
    start = store.read(_path(name), 8)
    if start is None or len(start) < 8:
        return ScoreFacts()
    head = store.read(_path(name), 8 + min(int.from_bytes(start, "little"), _MOST_HEAD)) or b""
    return _facts(store, head[8:])


def usable_tables(store: SegmentStore, name: str) -> set[str]:
    """Return the signatures of the score tables of a file whose library versions fit."""
    return {signature for signature, manifest in facts_of(store, name).tables.items() if store.fits(manifest)}


def read_scores(
    store: SegmentStore, name: str, signatures: Iterable[str]
) -> dict[str, tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]]:
    """Return signature → (arrays by cell, facts) of those score tables that are there and undamaged.

    Raises:
        StoreUnusable: a newer version wrote the file.
        VersionsDiffer: other code made a table, and the store does not accept that.
    """
    content, wanted = store.read(_path(name)), set(signatures)
    if content is None:
        return {}
    facts, arrays = _parsed(store, content)
    if not facts.tables:
        store.warn(name)
    found = {}
    for signature in wanted & facts.tables.keys():
        manifest = facts.tables[signature]
        own = arrays.get(signature, {})
        if not store.fits(manifest):
            continue
        if _digest(own) == manifest["digest"]:
            found[signature] = (own, store.accepted(manifest)["facts"])
        else:
            store.warn(signature)
    return found


def add_scores(
    store: SegmentStore, name: str, tables: Mapping[str, NewTable], trainings: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Add score tables, and the cost of trainings, to a trial's file; what it holds of the same signatures is replaced.

    Raises:
        DiskFull: no space is left; the file stays as it was.
        StoreUnusable: the store cannot be written.
    """
    with ExitStack() as held:
        if not isinstance(store, RemoteStore):  # two trials may share a file: a baseline and a control of one seed
            with suppress(Timeout, OSError):  # without the lock a table may be lost at worst, and is then computed again
                held.enter_context(FileLock(store.root / _LOCK, timeout=_LOCK_SECONDS))
        content = store.read(_path(name))
        facts, arrays = _parsed(store, content) if content is not None else (ScoreFacts(), {})
        for signature, table in tables.items():
            arrays[signature] = {cell: np.ascontiguousarray(array) for cell, array in table.arrays.items()}
            facts.tables[signature] = {
                "signature": signature,
                "facts": {"label": table.label, "seconds": table.seconds, "code": code_hash()},
                "versions": library_versions(),
                "digest": _digest(table.arrays),
            }
        facts.trainings.update({signature: dict(cost) for signature, cost in (trainings or {}).items()})
        flat = {f"{signature}/{cell}": array for signature, own in arrays.items() for cell, array in own.items()}
        told = json.dumps({"format": FORMAT, "tables": facts.tables, "trainings": facts.trainings}, sort_keys=True)
        store.write(_path(name), save(flat, {"scores": told}))


def score_names(store: SegmentStore) -> Iterator[str]:
    """Yield the names of all score files."""
    return store.files(".scores")


def stored_signatures(store: SegmentStore) -> frozenset[str]:
    """Return the signatures of all segments, of all score tables, and of trainings of which the cost alone was kept."""
    files = [facts_of(store, name) for name in score_names(store)]
    return frozenset((*store.names(), *(name for facts in files for name in (*facts.tables, *facts.trainings))))


def score_size(store: SegmentStore, name: str) -> int:
    """Return the size of a score file in bytes."""
    return store.size(_path(name))


def damaged_tables(store: SegmentStore, name: str) -> list[str]:
    """Read a whole score file; return the signatures of its damaged tables, or its name where it is unreadable."""
    content = store.read(_path(name))
    facts, arrays = _parsed(store, content or b"")
    if not facts.tables and not facts.trainings:
        return [name]
    return [table for table, manifest in facts.tables.items() if _digest(arrays.get(table, {})) != manifest["digest"]]


def _path(name: str) -> str:
    return f"{name[:2]}/{name}.scores"


def _parsed(store: SegmentStore, content: bytes) -> tuple[ScoreFacts, dict[str, dict[str, npt.NDArray[Any]]]]:
    """Return facts, and arrays by table and cell; both empty where the content is not a score file."""
    facts = _facts(store, content[8 : 8 + int.from_bytes(content[:8], "little")])
    try:
        flat = load(content)
    except (SafetensorError, ValueError, OverflowError):
        return ScoreFacts(), {}
    arrays: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for key, array in flat.items():
        table, _, cell = key.partition("/")
        arrays.setdefault(table, {})[cell] = array
    return facts, arrays


def _facts(store: SegmentStore, head: bytes) -> ScoreFacts:
    try:
        told = json.loads(json.loads(head)["__metadata__"]["scores"])
        form = int(told["format"])
        facts = ScoreFacts(tables=dict(told["tables"]), trainings=dict(told["trainings"]))
    except (ValueError, KeyError, TypeError):
        return ScoreFacts()
    if form > FORMAT:
        raise newer(store, form)
    return facts


def _digest(arrays: Arrays) -> str:
    whole = hashlib.sha256()
    for cell in sorted(arrays):
        array = np.ascontiguousarray(arrays[cell])
        whole.update(f"{cell} {array.dtype.str} {array.shape}\n".encode())
        whole.update(array.tobytes())
    return whole.hexdigest()
