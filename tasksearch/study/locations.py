"""Locations of a study's parts: its segment store, its Optuna study, its MLflow runs; and the unique id of its runs.

The study's folder stores each location when it is first set. Addresses are stored without passwords; environment variables
provide those.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from contextlib import nullcontext, suppress
from pathlib import Path

from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.core.study import StudyConfig
from tasksearch.study.folder_notes import address_of, keep_address
from tasksearch.tracking.address import kept

_STORE_PLACE = "store.location"
OPTUNA_VARIABLE = "TASKSEARCH_OPTUNA_STORAGE"
JOURNAL = "journal"
_OPTUNA_PLACE = "optuna.location"
_JOURNAL_FILE = "optuna.journal"
TRACKING_VARIABLE = "MLFLOW_TRACKING_URI"


def store_address(folder: Path, asked: str | None = None) -> str:
    """Return the folder or fsspec URL of a study's store, by default inside the study's folder. `asked` is stored.

    Raises:
        BadInput: the stored address is damaged.
    """
    place = folder / _STORE_PLACE
    if asked is not None:
        address = asked if "://" in asked else str(Path(asked).absolute())
        keep_address(place, address)
        return address
    return address_of(place, "say once more where the store is, by --store") or str((folder / "store").absolute())


def store_of(where: str) -> str:
    """Return the address of the store, given a study's folder, a store's folder or an fsspec URL.

    Raises:
        StudyNotReady: the folder holds neither a study nor a store.
    """
    if "://" in where:
        return where
    from tasksearch.records.ledger import Ledger

    folder = Path(where)
    address = store_address(folder) if Ledger(folder).has_config() else where
    if "://" not in address and not Path(address).is_dir():
        raise StudyNotReady(f"no study and no store in {where}; expected the folder of either, or an fsspec URL")
    return address


def optuna_address(folder: Path, asked: str | None = None) -> str | None:
    """Return the database's address with its secrets, or None for the journal: as requested, or else as the study has it.

    The environment variable sets the location of a new study only. For an existing one it provides the password only, so that
    the value in some shell never moves a study.

    Args:
        folder: the study's folder.
        asked: an address, or `journal`; None: no request.

    Raises:
        BadInput: the address must be one of a database and is not, or the stored one is damaged.
    """
    from tasksearch.engine.optuna_database import remembered_address

    offered = os.environ.get(OPTUNA_VARIABLE) or None
    had = _remembered(folder)
    if asked is None and had is None:
        asked = JOURNAL if (folder / _JOURNAL_FILE).exists() else (offered or JOURNAL)
    if asked is not None:
        return None if asked == JOURNAL else _absolute(asked)
    if had == JOURNAL:
        return None
    return offered if offered not in (None, JOURNAL) and remembered_address(offered) == had else had


def remember_optuna(folder: Path, address: str | None) -> None:
    """Store the location of the Optuna study, unless it is the default journal."""
    from tasksearch.engine.optuna_database import remembered_address

    place = folder / _OPTUNA_PLACE
    line = JOURNAL if address is None else remembered_address(address)
    if address is not None or place.exists():
        keep_address(place, line)


def _remembered(folder: Path) -> str | None:
    return address_of(folder / _OPTUNA_PLACE, "say once more where the Optuna study is, by --optuna-storage")


def _absolute(url: str) -> str:
    from tasksearch.engine.optuna_database import remembered_address

    remembered = remembered_address(url)
    return remembered if remembered.startswith("sqlite:") else url


def kept_tracking_address(uri: str | None) -> str | None:
    """Return the address as the study stores it; put its secrets into this process's environment, and nowhere else.

    Raises:
        BadInput: the address cannot be read.
    """
    if uri is None:
        return None
    address = kept(uri)
    if address != uri:
        os.environ[TRACKING_VARIABLE] = uri
    return address


def tracking_address(config: StudyConfig) -> str | None:
    """Return the study's address, with secrets if the environment has them; None: in the study's folder.

    Raises:
        BadInput: an address that cannot be read.
    """
    uri, offered = config.tracking_uri, os.environ.get(TRACKING_VARIABLE)
    if uri is None or not offered:
        return uri
    return offered if kept(offered) == kept(uri) else uri


def study_id(folder: Path, name: str) -> str:
    """Return the id stored in the study's folder, made at first use: the name and eight random hex digits.

    It is stored three times. A study that lost it would write every run again, and with only two copies that differ it would
    be unknown which is right. A line without its line end was cut short.
    """
    from tasksearch.core.atomic import write_atomic

    places = (folder / "study.id", folder / "trials" / "study.id", folder / "trials" / "study.id.copy")
    found = [_line(path) for path in places]
    whole = [line for line in found if line]
    line = Counter(whole).most_common(1)[0][0] if whole else f"{name}-{uuid.uuid4().hex[:8]}\n".encode()
    for path, there in zip(places, found, strict=True):
        if there != line:
            # in a read-only folder that lacks a copy, the others are enough
            with suppress(BadInput) if whole else nullcontext():
                if path.is_dir():
                    path.rename(path.with_name(f"{path.name}.damaged"))
                write_atomic(path, line)
    return line.decode().strip()


def _line(path: Path) -> bytes:
    """Return the contents of one copy; empty if it is missing or was cut short."""
    try:
        line = path.read_bytes()
        line.decode()
    except (OSError, ValueError):
        return b""
    return line if line.endswith(b"\n") else b""
