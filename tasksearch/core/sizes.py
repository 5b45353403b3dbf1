"""File sizes as people write them."""

from __future__ import annotations

from tasksearch.core.errors import BadInput

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def size_of(text: str) -> int:
    """Parse a size such as `20GB`, `500 MB` or `1.5TB` (decimal units) and return bytes.

    Raises:
        BadInput: the text is not such a size.
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
    """Format bytes as text such as `1.5 GB`."""
    for unit, bytes_of in reversed(_UNITS.items()):
        if size >= bytes_of:
            return f"{size / bytes_of:.3g} {unit}"
    return f"{size:.0f} B"
