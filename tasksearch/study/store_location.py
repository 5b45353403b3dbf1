"""Location of a study's segment store: set at its first run, stored in its folder, changed by asking for another."""

from __future__ import annotations

from pathlib import Path

from tasksearch.core.errors import StudyNotReady
from tasksearch.core.sizes import shown_size, size_of
from tasksearch.study.folder_notes import address_of, keep_address

_LOCATION = "store.location"

__all__ = ["shown_size", "size_of", "store_address", "store_of"]


def store_address(folder: Path, asked: str | None = None) -> str:
    """Return the folder or fsspec URL of a study's store, by default inside the study's folder. `asked` is stored.

    Raises:
        BadInput: the stored address is damaged.
    """
    place = folder / _LOCATION
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
