"""Moved or copied study folders: rewrites the absolute paths that the study holds of its own files.

Its own MLflow database is rewritten when it is opened (`tracking.database.rebase_artefacts`); a database that it shares with
other studies is rewritten here, unless the former folder still exists: then the database is that folder's too.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasksearch.core.errors import Damaged, DataMissing
from tasksearch.core.study import StudyConfig
from tasksearch.study.folder_notes import address_of, keep_address
from tasksearch.tracking.database import file_of, rebase_artefacts

_LOG = logging.getLogger(__name__)
_PLACE = "study.location"
_ADDRESSES = ("store.location", "optuna.location")


def rebase(ledger: Any) -> list[str]:
    """Rewrite paths that point into the study's former folder, and record the present one. Requires the folder's lock.

    Returns:
        A line for the user if the folder was moved, else nothing.
    """
    folder, place = ledger.folder, ledger.folder / _PLACE
    now = str(folder)
    had = None
    with suppress(Damaged):  # then the former folder is unknown
        had = address_of(place, "")
    if had == now:
        return []
    if had is not None:
        _rebase_addresses(folder, had, now)
        config = ledger.config()
        if (moved := _rebased(config, had, now)) != config:
            ledger.save_config(moved)
        shared = _rebase_shared(moved.tracking_uri, Path(had), folder)
    keep_address(place, now)
    return [] if had is None else [f"the study was moved or copied here from {had}: it writes here alone{shared}"]


def follow_data(ledger: Any) -> list[str]:
    """Read the suite's files from $TASKSEARCH_DATA where the folder that the study names is gone. Requires the folder's lock.

    Segments are named by what the files hold, not by where they lie: other files are other trainings.

    Returns:
        A line for the user if the study's data folder was changed, else nothing.
    """
    config, now = ledger.config(), os.environ.get("TASKSEARCH_DATA")
    if config.data is None or Path(config.data).is_dir() or not now or not Path(now).is_dir():
        return []
    ledger.save_config(dataclasses.replace(config, data=str(Path(now).absolute())))
    return [f"the data folder {config.data} is gone: files are read from {Path(now).absolute()}, as TASKSEARCH_DATA says"]


def check_data(config: StudyConfig) -> None:
    """Raise DataMissing where the data folder of a study that goes on is gone; TASKSEARCH_DATA says where it is now."""
    if config.data is None or Path(config.data).is_dir():
        return
    named = os.environ.get("TASKSEARCH_DATA")
    said = f"TASKSEARCH_DATA names {named!r}, which is no folder" if named else "TASKSEARCH_DATA is not set"
    raise DataMissing(
        f"the study's data folder {config.data!r} is gone and {said}; expected it to name where the files are now"
    )


def _rebase_shared(uri: str | None, had: Path, now: Path) -> str:
    """Change the addresses of the study's artefacts in a database outside of its folder; return what the user must know."""
    file = None if uri is None else file_of(uri)
    if file is None or not file.is_file() or file.is_relative_to(now):
        return ""
    if had.exists():
        return f", but its MLflow runs, in {file}, are those of {had} too; continue one of the two studies only"
    try:
        rebase_artefacts(file, now / "mlartifacts", former=had / "mlartifacts")
    except sqlite3.Error as fault:  # the tracker reports a damaged file when it opens it
        _LOG.warning("%s still names the artefacts in %s: %s", file, had, fault)
    return ""


def _rebase_addresses(folder: Path, had: str, now: str) -> None:
    for name in _ADDRESSES:
        path = folder / name
        with suppress(Damaged):  # reported when the address is needed
            address = address_of(path, "")
            if address is not None and (moved := _path(address, had, now)) != address:
                keep_address(path, moved)


def _rebased(config: StudyConfig, had: str, now: str) -> StudyConfig:
    return dataclasses.replace(
        config,
        model=_path(config.model, had, now),
        data=None if config.data is None else _path(config.data, had, now),
        tracking_uri=None if config.tracking_uri is None else _path(config.tracking_uri, had, now),
        pretraining_text=tuple(_path(place, had, now) for place in config.pretraining_text),
    )


def _path(address: str, had: str, now: str) -> str:
    """Return an address with the old folder replaced by the new one if it is a path or SQLite address into the old folder."""
    scheme, path = ("sqlite:///", address.removeprefix("sqlite:///")) if address.startswith("sqlite:///") else ("", address)
    return f"{scheme}{now}{path[len(had) :]}" if path == had or path.startswith(f"{had}/") else address
