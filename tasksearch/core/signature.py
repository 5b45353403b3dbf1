"""Names made from content: the hash of everything that decides an outcome.

Two values with equal canonical JSON have one signature, on every machine and in every Python.
All randomness of a segment is drawn from signatures, so that an outcome does not depend on which trial ran it, or when.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import Any

SIGNATURE_LENGTH = 24  # hex digits: 96 bits, no collision in any study that will ever run


_PLAIN = frozenset((str, int, float, bool, type(None)))


def to_plain(value: Any) -> Any:
    """Turns frozen values into what JSON holds; fractions become `"3/4"`.

    Raises:
        TypeError: for a value whose JSON form is not defined here.
    """
    if type(value) in _PLAIN:  # most values by far: a big study's signatures are made of nothing else
        return value
    if hasattr(value, "to_json") and not isinstance(value, type):
        return to_plain(value.to_json())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Enum):
        return to_plain(value.value)
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, dict):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(v) for v in value]
    if isinstance(value, set | frozenset):
        return sorted(to_plain(v) for v in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"no canonical JSON for {type(value).__name__}")


def plain_without(value: Any, later: Collection[str]) -> dict[str, Any]:
    """Plain form of a dataclass without those of its `later` fields that stand at their defaults: a field that a new version
    adds leaves the signatures of values that do not use it as they were.
    """
    fields = dataclasses.fields(value)
    return {
        f.name: to_plain(getattr(value, f.name)) for f in fields if f.name not in later or getattr(value, f.name) != f.default
    }


def canonical_json(value: Any) -> str:
    """Sorted keys, no spaces, shortest round-trip floats; NaN and infinity are refused."""
    return json.dumps(to_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def signature_of(*parts: Any) -> str:
    """A short hex name for the parts taken together, in their order."""
    return hashlib.sha256(canonical_json(list(parts)).encode()).hexdigest()[:SIGNATURE_LENGTH]


def seed_from(*parts: Any) -> int:
    """A seed in [0, 2**63) drawn from the parts: equal parts, equal seed."""
    digest = hashlib.sha256(canonical_json(list(parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
