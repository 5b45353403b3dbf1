"""Where a study keeps its segments: decided at its first run, remembered in its folder, changed by asking again."""

from __future__ import annotations

from pathlib import Path

from tasksearch.core.errors import StudyNotReady
from tasksearch.core.sizes import shown_size, size_of
from tasksearch.study.folder_notes import address_of, keep_address

_LOCATION = "store.location"

__all__ = ["shown_size", "size_of", "store_address", "store_of"]


def store_address(folder: Path, asked: str | None = None) -> str:
    """Folder or fsspec URL of a study's store; `asked` is remembered. By default it lies in the study's folder.

    Raises:
        BadInput: what was remembered is damaged.
    """
    place = folder / _LOCATION
    if asked is not None:
        address = asked if "://" in asked else str(Path(asked).absolute())
        keep_address(place, address)
        return address
    return address_of(place, "say once more where the store is, by --store") or str((folder / "store").absolute())


def store_of(where: str) -> str:
    """The store that a study's folder, a store's folder or an fsspec URL stands for.

    Raises:
        StudyNotReady: neither stands there.
    """
    if "://" in where:
        return where
    from tasksearch.records.ledger import Ledger

    folder = Path(where)
    address = store_address(folder) if Ledger(folder).has_config() else where
    if "://" not in address and not Path(address).is_dir():
        raise StudyNotReady(f"no study and no store in {where}; expected the folder of either, or an fsspec URL")
    return address
