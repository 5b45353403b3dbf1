"""Carry out a download plan: several files at a time, archives and hub tables one after another, everything recorded."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any

from tasksearch.core.atomic import make_folder
from tasksearch.core.errors import BadInput, DataMissing, DiskFull, Interrupted, TasksearchError, Unreachable
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.download.archives import unpack
from tasksearch.tasks.download.plan import DownloadPlan, Item, Table, address_of, plan_download
from tasksearch.tasks.download.published import Archive
from tasksearch.tasks.download.record import NAME as RECORD
from tasksearch.tasks.download.record import Record, read_record
from tasksearch.tasks.download.transfer import Download, OnBytes, fetch, place_of
from tasksearch.tasks.hub import keep_pin, load_table, note_of, pin

CONNECTIONS = 8
"""Number of files downloaded concurrently."""


@dataclass(kw_only=True)
class Outcome:
    """Result of a download.

    Attributes:
        fetched: items that are at their places, or in the hub's cache.
        failed: item → reason.
        left: plan of what is still missing after all known copies were tried.
    """

    fetched: list[Item] = field(default_factory=list)
    failed: dict[Item, TasksearchError] = field(default_factory=dict)
    left: DownloadPlan = field(default_factory=lambda: DownloadPlan(items=()))


OnItem = Callable[[Item, TasksearchError | None], None]
"""Callback for each item: called with None when it is there, or with the error."""


def get_data(
    root: Path,
    cards: Sequence[TaskCard],
    languages: Sequence[str],
    *,
    mirror: str = "",
    on_bytes: OnBytes = lambda _: None,
    on_item: OnItem = lambda item, fault: None,
) -> Outcome:
    """Download the missing data of the cards; if one copy fails, the next one named by the card is tried.

    Everything downloaded is kept whatever happens later, and recorded in the folder.

    Raises:
        DiskFull: no space is left.
        BadInput: the folder's record cannot be read.
    """
    record, outcome = restored(root), Outcome()
    while True:
        plan = plan_download(root, cards, languages, failed=outcome.failed)
        fresh = [item for item in plan.items if item not in outcome.fetched]
        for item in plan.items:
            if item not in fresh and not isinstance(item, Table):
                outcome.failed[item] = DataMissing(
                    f"{address_of(item)}: does not hold all that {', '.join(plan.tasks[item])} reads"
                )
        if not fresh and not set(plan.items) & set(outcome.failed):
            outcome.left = plan
            return outcome
        worker = _Worker(root=root, record=record, mirror=mirror, on_bytes=on_bytes, on_item=on_item, outcome=outcome)
        try:
            worker.run(fresh)
        finally:
            if record.files or record.hub:
                record.save(root)


def restored(root: Path) -> Record:
    """Return the folder's record, and register its hub commits on this machine."""
    record = read_record(root)
    for kept in record.pins():
        keep_pin(kept)
    return record


@dataclass(kw_only=True)
class _Worker:
    root: Path
    record: Record
    mirror: str
    on_bytes: OnBytes
    on_item: OnItem
    outcome: Outcome
    dead: dict[str, TasksearchError] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)
    stop: Event = field(default_factory=Event)

    def run(self, items: Sequence[Item]) -> None:
        files = [item for item in items if isinstance(item, Download)]
        pool = ThreadPoolExecutor(max_workers=CONNECTIONS)
        try:
            for done in as_completed([pool.submit(self._attempt, item, self._file) for item in files]):
                done.result()
        except BaseException:  # including Ctrl-C: the other threads stop at their next block and keep what they have
            self.stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        for item in items:
            if isinstance(item, Archive):
                self._attempt(item, self._archive)
            elif isinstance(item, Table):
                self._attempt(item, self._table)

    def _attempt(self, item: Item, act: Callable[[Any], None]) -> None:
        """Fetch one item; only a full disk or an interruption ends the whole download."""
        try:
            act(item)
        except (DiskFull, Interrupted):
            self.stop.set()
            raise
        except TasksearchError as fault:
            self.outcome.failed[item] = fault
            self.on_item(item, fault)
        else:
            self.outcome.fetched.append(item)
            self.on_item(item, None)

    def _file(self, file: Download) -> None:
        with self.lock:
            dead = self.dead.get(file.host)
        if dead is not None:
            raise Unreachable(f"{file.url}: {file.host} did not answer before")
        try:
            sha256 = fetch(self.record.expected(file), self.root, mirror=self.mirror, on_bytes=self._counted)
        except Unreachable as fault:
            with self.lock:
                self.dead[file.host] = fault
            raise
        size = place_of(self.root, file.place).stat().st_size
        with self.lock:
            self.record.note_file(file, size, sha256)

    def _counted(self, count: int) -> None:
        if self.stop.is_set():
            raise Interrupted("stopped; the same command goes on from here")
        with self.lock:
            self.on_bytes(count)

    def _archive(self, archive: Archive) -> None:
        """Unpack next to the target and then move, so that no reader finds part of it.

        The archive is deleted when everything is in place.
        """
        packed = place_of(self.root, archive.file.place)
        if not packed.is_file():
            self._file(archive.file)
        staging = packed.with_name(f"{packed.name}.unpacked")
        shutil.rmtree(staging, ignore_errors=True)
        try:
            places = unpack(packed, staging, archive.folder, archive.members)
            if not places:
                raise DataMissing(f"{archive.file.url}: holds none of {', '.join(archive.members)}")
            for place in places:
                target = place_of(self.root, place)
                make_folder(target.parent)
                (staging / place).replace(target)
        except DiskFull:
            raise
        except TasksearchError:
            packed.unlink(missing_ok=True)
            self.record.files.pop(archive.file.url, None)
            raise
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        packed.unlink()
        if not any(packed.parent.iterdir()):
            packed.parent.rmdir()

    def _table(self, table: Table) -> None:
        kept = self.record.pin_of(table.source.id, table.source.revision)
        found = pin(table.source.id, table.source.revision)
        if kept and kept.commit != found.commit:
            raise BadInput(
                f"hub data set {found.id!r}: {RECORD} of the data folder records commit {kept.commit[:12]}, this machine has "
                f"read {found.commit[:12]} before; delete {note_of(found.id, found.asked)} to read what the folder records"
            )
        load_table(found, table.config, table.split)
        self.record.note_pin(found)
