"""List and verify the content of a store, and keep it within a disk budget."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from tasksearch.store.remote import RemoteStore, open_store
from tasksearch.store.score_files import damaged_tables, facts_of, score_names, score_size
from tasksearch.store.segment_store import SegmentStore, translated

_LOG = logging.getLogger(__name__)
FREE_SHARE = 0.8
_CLAIMS = ".claims"
_CLAIM_SECONDS = 24 * 3600.0  # a claim of another machine not renewed for this long belongs to a dead process
_LEFTOVER_SECONDS = 3600.0  # an incomplete segment this old was left by a killed writer


@dataclass(frozen=True, kw_only=True)
class StoreEntry:
    """A segment, a trial's score tables, or a snapshot in the store.

    Attributes:
        name: signature; a snapshot adds its step.
        kind: `intermediate`, `target`, `scores` or `snapshot`.
        label: readable description of what was trained.
        size: size of its files in bytes.
        seconds: duration of its training; 0 if unknown.
        steps: optimiser steps.
        uses: number of times it was reused.
        used: time of the last reuse, or else of the commit, in seconds since the epoch.
    """

    name: str
    kind: str
    label: str
    size: int
    seconds: float
    steps: int
    uses: int
    used: float

    @property
    def signature(self) -> str:
        """Signature of the segment itself, without a snapshot's step."""
        return self.name.partition(".")[0]


def entries(store: SegmentStore) -> list[StoreEntry]:
    """Return everything with a readable manifest; other files are not read."""
    found = (_entry(store, name) for name in store.names())
    return [*(entry for entry in found if entry is not None), *(_scores(store, name) for name in score_names(store))]


def verify(store: SegmentStore) -> list[str]:
    """Read every file of the store; return the names of segments that do not match their manifests."""
    segments = [name for name in store.names() if not _is_whole(store, name)]
    return segments + [name for name in score_names(store) if damaged_tables(store, name)]


def to_evict(stock: Iterable[StoreEntry], *, budget: int, protected: Collection[str], now: float) -> list[StoreEntry]:
    """Return what to evict so that the rest fits the budget: first what is cheap to train again for its size and long unused.

    Args:
        budget: maximum size in bytes.
        protected: signatures that running trials need; never evicted, even if the budget is then exceeded.
        now: seconds since the epoch.
    """
    kept = list(stock)
    excess = sum(entry.size for entry in kept) - budget
    gone = []
    for entry in sorted((e for e in kept if e.signature not in protected), key=lambda e: (_worth(e, now), e.name)):
        if excess <= 0:
            break
        gone.append(entry)
        excess -= entry.size
    return gone


def prune(store: SegmentStore, budget: int, *, dry_run: bool = False) -> list[StoreEntry]:
    """Evict down to the budget and remove leftovers of killed writers; does nothing if another process is already doing so.

    Returns:
        The entries that were evicted, or with `dry_run` would be.
    """
    if isinstance(store, RemoteStore):
        gone = to_evict(entries(store), budget=budget, protected=(), now=time.time())
        _evict(store, () if dry_run else gone)
        return gone
    try:
        with FileLock(store.root / ".prune.lock", timeout=0):
            _clear_leftovers(store)
            gone = to_evict(entries(store), budget=budget, protected=claimed(store), now=time.time())
            _evict(store, () if dry_run else gone)
            return gone
    except Timeout:
        return []
    except OSError as fault:
        raise translated(fault, store) from None


def default_budget(address: str) -> int | None:
    """Return the size in bytes that a store may take where nobody says it: what it holds, and `FREE_SHARE` of the free disk.

    None for an object store, whose room is not known.
    """
    store = open_store(address)
    if isinstance(store, RemoteStore):
        return None
    there = next(folder for folder in (store.root.absolute(), *store.root.absolute().parents) if folder.exists())
    return sum(entry.size for entry in entries(store)) + int(FREE_SHARE * shutil.disk_usage(there).free)


def _evict(store: SegmentStore, gone: Iterable[StoreEntry]) -> None:
    for entry in gone:
        _LOG.info("evicted %s (%s, %d bytes) from %s to keep its budget", entry.name, entry.label, entry.size, store)
        store.discard(entry.name)


def claim(store: SegmentStore, signatures: Iterable[str]) -> None:
    """Record which segments this process's current trial needs.

    A process has one claim, which is void once the process has ended.
    """
    if isinstance(store, RemoteStore):
        return
    with suppress(OSError):  # a store that cannot be written cannot be pruned either
        folder = store.root / _CLAIMS
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{socket.gethostname()}.{os.getpid()}"
        temporary = store.root / f".claim.{socket.gethostname()}.{os.getpid()}"
        temporary.write_text("\n".join(signatures), encoding="utf-8")
        temporary.replace(path)


def claimed(store: SegmentStore) -> set[str]:
    """Return the signatures that running trials need; claims of dead processes are removed."""
    needed: set[str] = set()
    for path in (store.root / _CLAIMS).glob("*"):
        with suppress(OSError):
            if _is_alive(path):
                needed.update(path.read_text(encoding="utf-8").split())
            else:
                path.unlink()
    return needed


def _entry(store: SegmentStore, name: str) -> StoreEntry | None:
    manifest = store.peek(name)
    if manifest is None:
        return None
    facts = manifest["facts"]
    seconds = facts.get("seconds", 0.0)
    return StoreEntry(
        name=name,
        kind=str(facts.get("kind", "?")),
        label=str(facts.get("label", "")),
        size=sum(int(size) for size, _ in manifest["files"].values()),
        seconds=float(sum(seconds.values()) if isinstance(seconds, dict) else seconds),
        steps=int(facts.get("steps", 0)),
        uses=store.uses(name),
        used=store.modified(name),
    )


def _scores(store: SegmentStore, name: str) -> StoreEntry:
    facts = facts_of(store, name)
    costs = [*facts.trainings.values(), *(manifest["facts"] for manifest in facts.tables.values())]
    labels = dict.fromkeys(str(cost.get("label", "")).replace("/", ",").split(",")[0] for cost in costs)
    return StoreEntry(
        name=name,
        kind="scores",
        label=", ".join(sorted(labels)),
        size=score_size(store, name),
        seconds=float(sum(cost.get("seconds", 0.0) for cost in costs)),
        steps=int(sum(cost.get("steps", 0) for cost in costs)),
        uses=0,
        used=store.modified(name),
    )


def _is_whole(store: SegmentStore, name: str) -> bool:
    manifest = store.manifest(name)
    if manifest is None:
        return False
    return not isinstance(store, RemoteStore) or all(store.is_whole(name, file) for file in manifest["files"])


def _worth(entry: StoreEntry, now: float) -> float:
    """Return training seconds per byte kept and second unused: the higher, the more worth keeping."""
    return (entry.seconds + 1e-3) / (max(1, entry.size) * (max(0.0, now - entry.used) + 60.0))


def _is_alive(path: Path) -> bool:
    host, _, pid = path.name.rpartition(".")
    if host == socket.gethostname():
        return bool(psutil.pid_exists(int(pid)))
    return time.time() - path.stat().st_mtime < _CLAIM_SECONDS


def _clear_leftovers(store: SegmentStore) -> None:
    for path in store.root.glob(".*.*.*"):
        with suppress(OSError):
            if path.is_dir() and time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
