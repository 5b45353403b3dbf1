"""Where a study keeps its segments: decided at its first run, remembered in its folder, changed by asking again."""

from __future__ import annotations

from pathlib import Path

from tasksearch.core.errors import BadInput, StudyNotReady

_LOCATION = "store.location"
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def store_address(folder: Path, asked: str | None = None) -> str:
    """Folder or fsspec URL of a study's store; `asked` is remembered. By default it lies in the study's folder."""
    from tasksearch.search.ledger import write_atomic

    place = folder / _LOCATION
    if asked is not None:
        address = asked if "://" in asked else str(Path(asked).absolute())
        write_atomic(place, f"{address}\n".encode())
        return address
    return place.read_text(encoding="utf-8").strip() if place.exists() else str((folder / "store").absolute())


def store_of(where: str) -> str:
    """The store that a study's folder, a store's folder or an fsspec URL stands for.

    Raises:
        StudyNotReady: neither stands there.
    """
    if "://" in where:
        return where
    folder = Path(where)
    address = store_address(folder) if (folder / "study.json").exists() else where
    if "://" not in address and not Path(address).is_dir():
        raise StudyNotReady(f"no study and no store in {where}; expected the folder of either, or an fsspec URL")
    return address


def size_of(text: str) -> int:
    """Bytes of such as `20GB`, `500 MB` or `1.5TB` (decimal units).

    Raises:
        BadInput: anything else.
    """
    compact = text.replace(" ", "").upper()
    number, unit = compact[:-2], _UNITS.get(compact[-2:])
    try:
        if unit is not None and float(number) >= 0:
            return int(float(number) * unit)
    except ValueError:
        pass
    raise BadInput(f"{text!r} is no size; expected such as 20GB or 500MB")


def shown_size(size: float) -> str:
    """`1.5 GB`."""
    for unit, bytes_of in reversed(_UNITS.items()):
        if size >= bytes_of:
            return f"{size / bytes_of:.3g} {unit}"
    return f"{size:.0f} B"
