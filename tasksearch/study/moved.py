"""A study folder that was moved or copied: what it says of itself by absolute paths is said anew. Its own MLflow database is
mended where it is opened (`tracking.database.rebase_artefacts`).
"""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasksearch.core.errors import Damaged
from tasksearch.core.study import StudyConfig
from tasksearch.study.folder_notes import address_of, keep_address

_PLACE = "study.location"
_ADDRESSES = ("store.location", "optuna.location")


def rebase(ledger: Any) -> list[str]:
    """Rewrites paths into the folder where the study stood before, and notes where it stands now; only under its lock.

    Returns:
        A line where it was moved.
    """
    folder, place = ledger.folder, ledger.folder / _PLACE
    now = str(folder)
    had = None
    with suppress(Damaged):  # then nobody knows where it stood
        had = address_of(place, "")
    if had == now:
        return []
    if had is not None:
        _rebase_addresses(folder, had, now)
        config = ledger.config()
        if (moved := _rebased(config, had, now)) != config:
            ledger.save_config(moved)
    keep_address(place, now)
    return [] if had is None else [f"the study was moved or copied here from {had}: it writes here alone"]


def _rebase_addresses(folder: Path, had: str, now: str) -> None:
    for name in _ADDRESSES:
        path = folder / name
        with suppress(Damaged):  # told where the address is needed
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
    """A path or an SQLite address into the old folder, into the new one; anything else as it is."""
    scheme, path = ("sqlite:///", address.removeprefix("sqlite:///")) if address.startswith("sqlite:///") else ("", address)
    return f"{scheme}{now}{path[len(had) :]}" if path == had or path.startswith(f"{had}/") else address
