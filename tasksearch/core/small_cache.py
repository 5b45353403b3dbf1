"""Small results kept in the cache folder under the hash of what they came from, so that they are not worked out again."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import TasksearchError
from tasksearch.core.folders import cache_folder


def read_cached(kind: str, name: str) -> Any:
    """What was kept; None where nothing, or nothing readable, is there."""
    try:
        return json.loads(_place(kind, name).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def write_cached(kind: str, name: str, value: Any) -> None:
    """Keeps a value of plain JSON; a cache that cannot be written keeps nothing."""
    with suppress(TasksearchError):
        write_atomic(_place(kind, name), f"{json.dumps(value, ensure_ascii=False)}\n".encode())


def _place(kind: str, name: str) -> Path:
    return cache_folder() / kind / f"{name}.json"
