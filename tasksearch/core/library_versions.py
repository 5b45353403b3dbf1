"""Versions of the libraries that determine scores; recorded with every segment so that they are never mixed silently."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

DECIDING = ("tokenizers", "torch", "transformers")
"""Libraries that change encoders or their input. Torch also enters segment signatures (`RunContext.numerics`)."""


@lru_cache(maxsize=1)
def library_versions() -> dict[str, str]:
    """Return package → installed version, without a local build suffix (`+cu128`)."""
    return {name: found for name in DECIDING if (found := _version(name))}


def _version(name: str) -> str:
    try:
        return version(name).split("+")[0]
    except PackageNotFoundError:
        return ""
