"""Versions of the libraries that decide numbers: recorded with every segment, and never mixed in silence."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

DECIDING = ("tokenizers", "torch", "transformers")
"""Torch names segments as well (`RunContext.numerics`); the others change encoders and their input."""


@lru_cache(maxsize=1)
def library_versions() -> dict[str, str]:
    """Package → its version here, without what a build adds to it (`+cu128`)."""
    return {name: found for name in DECIDING if (found := _version(name))}


def _version(name: str) -> str:
    try:
        return version(name).split("+")[0]
    except PackageNotFoundError:
        return ""
