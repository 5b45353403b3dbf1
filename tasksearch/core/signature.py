"""Signatures: hashes of everything that determines an outcome.

Values with equal canonical JSON have equal signatures, on every machine and in every Python version. All randomness of a
segment is drawn from signatures, so that its outcome does not depend on which trial trained it, or when.
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

SIGNATURE_LENGTH = 24  # hex digits: 96 bits, enough to exclude collisions in practice


_PLAIN = frozenset((str, int, float, bool, type(None)))


def to_plain(value: Any) -> Any:
    """Convert frozen values to JSON values; fractions become text such as `"3/4"`.

    Raises:
        TypeError: the value's type has no JSON form defined here.
    """
    if type(value) in _PLAIN:  # fast path: nearly all values of a large study are plain
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
    """Return the plain form of a dataclass without those of its `later` fields that hold their defaults.

    A field that a new version adds therefore leaves the signatures of values that do not use it unchanged.
    """
    fields = dataclasses.fields(value)
    return {
        f.name: to_plain(getattr(value, f.name)) for f in fields if f.name not in later or getattr(value, f.name) != f.default
    }


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys, no spaces and shortest round-trip floats; NaN and infinity are refused."""
    return json.dumps(to_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def signature_of(*parts: Any) -> str:
    """Return the hex signature of the parts, in their order."""
    return hashlib.sha256(canonical_json(list(parts)).encode()).hexdigest()[:SIGNATURE_LENGTH]


def seed_from(*parts: Any) -> int:
    """Return a seed in [0, 2**63) derived from the parts; equal parts give equal seeds."""
    digest = hashlib.sha256(canonical_json(list(parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
