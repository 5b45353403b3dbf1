"""Folder for files that can be regenerated."""

from __future__ import annotations

import os
from pathlib import Path

AnyPath = str | os.PathLike[str]
"""A path as a caller may pass it."""


def cache_folder() -> Path:
    """Return `$TASKSEARCH_CACHE`, else `$XDG_CACHE_HOME/tasksearch`, else `~/.cache/tasksearch`."""
    if own := os.environ.get("TASKSEARCH_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tasksearch"
