"""Cache of small JSON results, stored in the cache folder under the hash of their inputs."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import TasksearchError
from tasksearch.core.folders import cache_folder


def read_cached(kind: str, name: str) -> Any:
    """Return the cached value; None if there is none or it cannot be read."""
    try:
        return json.loads(_place(kind, name).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def write_cached(kind: str, name: str, value: Any) -> None:
    """Cache a plain JSON value; does nothing if the cache cannot be written."""
    with suppress(TasksearchError):
        write_atomic(_place(kind, name), f"{json.dumps(value, ensure_ascii=False)}\n".encode())


def _place(kind: str, name: str) -> Path:
    return cache_folder() / kind / f"{name}.json"
