"""Location of a study's Optuna study: its journal, or a database whose address is stored without the password."""

from __future__ import annotations

import os
from pathlib import Path

from tasksearch.study.folder_notes import address_of, keep_address

VARIABLE = "TASKSEARCH_OPTUNA_STORAGE"
JOURNAL = "journal"
_PLACE = "optuna.location"
_JOURNAL_FILE = "optuna.journal"


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

    offered = os.environ.get(VARIABLE) or None
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

    place = folder / _PLACE
    line = JOURNAL if address is None else remembered_address(address)
    if address is not None or place.exists():
        keep_address(place, line)


def _remembered(folder: Path) -> str | None:
    return address_of(folder / _PLACE, "say once more where the Optuna study is, by --optuna-storage")


def _absolute(url: str) -> str:
    from tasksearch.engine.optuna_database import remembered_address

    remembered = remembered_address(url)
    return remembered if remembered.startswith("sqlite:") else url
