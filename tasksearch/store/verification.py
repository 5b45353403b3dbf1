"""Check a study's store before the first trial."""

from __future__ import annotations

import json
import logging
import shutil

from tasksearch.core.errors import StoreUnusable, first_line
from tasksearch.store.remote import RemoteStore, open_store
from tasksearch.store.segment_store import FORMAT, SegmentStore, newer, translated

MARK = "store.json"
_CONTENT = {"format": FORMAT, "scores": "per language"}
_LOG = logging.getLogger(__name__)


def check_store(address: str) -> None:
    """Check that a store can be written, renames whole folders atomically (local stores only), and has a known format.

    Raises:
        StoreUnusable: one of these fails; the message says which.
        DiskFull: no space is left.
    """
    store = open_store(address)
    if isinstance(store, RemoteStore):
        _check_remote(store)
        return
    mark = store.root / MARK
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        text = mark.read_text() if mark.exists() else None
        if text is not None and (form := _format_of(text)) > FORMAT:
            raise newer(store, form)
        _try_rename(store)
        if _is_news(store, text):
            mark.write_text(json.dumps(_CONTENT))
    except OSError as fault:
        told = translated(fault, store)
        raise told if told is not fault else StoreUnusable(f"{store} cannot be used: {first_line(fault)}") from None


def _try_rename(store: SegmentStore) -> None:
    """Check that a folder with a file can be renamed, and cannot be renamed onto another folder that is not empty."""
    first, second, probe = (store.temporary(name) for name in ("probe-a", "probe-b", "probe-c"))
    try:
        for folder in (first, second):
            folder.mkdir()
            (folder / "file").write_bytes(b"probe")
        first.rename(probe)
        try:
            second.rename(probe)
        except OSError:
            return
        raise StoreUnusable(f"{store} stands on a file system without atomic rename of folders; choose another --store")
    finally:
        for folder in (first, second, probe):
            shutil.rmtree(folder, ignore_errors=True)


def _check_remote(store: RemoteStore) -> None:
    try:
        text = store.read(MARK)
        if text is not None and (form := _format_of(text.decode())) > FORMAT:
            raise newer(store, form)
        if _is_news(store, None if text is None else text.decode()):
            store.write(MARK, json.dumps(_CONTENT).encode())
    except OSError as fault:
        raise StoreUnusable(f"store {store} cannot be used: {first_line(fault)}") from None


def _is_news(store: SegmentStore, text: str | None) -> bool:
    """Whether the format mark must be written; for a store of an older version, log once what happens to its segments."""
    if text is not None and '"scores"' in text:
        return False
    if text is not None and next(store.names(), None) is not None:
        _LOG.warning(
            "%s was written by an older version, whose target phases were named by their languages too: its intermediate "
            "segments are reused, its target phases are trained again",
            store,
        )
    return True


def _format_of(text: str) -> int:
    try:
        return int(json.loads(text)["format"])
    except (ValueError, KeyError, TypeError):
        return 1
