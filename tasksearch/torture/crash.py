"""Crash points, observed from outside: the product's code contains no hooks for them.

A point is an operation that changes a file, or a call of MLflow's client, in a function of the product, before or after the
operation: `store.segment_store._publish os.rename before`. A child process to be tortured calls `watch`; from then on the
callback receives every point as it is passed, and may kill the process or raise the error of a full disk or an unreachable
server.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import sys
from collections.abc import Callable
from typing import Any

OnPoint = Callable[[str], None]

_OS = ("rename", "replace", "fsync", "unlink", "rmdir", "mkdir", "symlink", "link", "ftruncate", "truncate", "write")
_CLIENT = (
    "create_experiment",
    "create_run",
    "update_run",
    "log_batch",
    "log_text",
    "log_artifact",
    "set_tag",
    "set_terminated",
)
_NOT = ("tasksearch.torture", "tasksearch.cli")
"""Modules whose own operations are not crash points."""


def watch(on_point: OnPoint) -> None:
    """Report every crash point that this process passes; never undone, since the process is meant to die.

    Exceptions of `on_point` are raised inside the product's calls.
    """
    for name in _OS:
        setattr(os, name, _around(getattr(os, name), f"os.{name}", on_point))
    opened = _around_open(io.open, on_point)
    io.open = builtins.open = opened
    _watch_safetensors(on_point)
    _watch_client(on_point)


def _around(call: Any, name: str, on_point: OnPoint) -> Any:
    @functools.wraps(call)
    def passed(*args: Any, **options: Any) -> Any:
        place = _place()
        if place is None:
            return call(*args, **options)
        on_point(f"{place} {name} before")
        result = call(*args, **options)
        on_point(f"{place} {name} after")
        return result

    return passed


def _around_open(call: Any, on_point: OnPoint) -> Any:
    """Wrap `open` so that opening a file for writing is a crash point: afterwards the file exists but is empty."""

    @functools.wraps(call)
    def opened(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        place = _place() if set(mode) & set("wax+") else None
        if place is None:
            return call(file, mode, *args, **options)
        on_point(f"{place} open before")
        found = call(file, mode, *args, **options)
        on_point(f"{place} open after")
        return found

    return opened


def _watch_safetensors(on_point: OnPoint) -> None:
    """Wrap `save_file`, whose Rust code makes no observable calls of `os`."""
    from tasksearch.store import segment_store as store

    store.save_file = _around(store.save_file, "save_file", on_point)  # type: ignore[attr-defined]


def _watch_client(on_point: OnPoint) -> None:
    from tasksearch.tracking import mlflow as module

    tracker: Any = module
    inner = tracker.open_client

    def open_watched(uri: str) -> Any:
        client = inner(uri)
        for name in _CLIENT:
            setattr(client, name, _around(getattr(client, name), f"mlflow.{name}", on_point))
        return client

    tracker.open_client = open_watched


def _place() -> str | None:
    """Return the innermost running function of the product or of Optuna; None if there is none."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("optuna."):
            return f"optuna.{frame.f_code.co_name}"
        if module.startswith("tasksearch.") and not module.startswith(_NOT):
            return f"{module.removeprefix('tasksearch.')}.{frame.f_code.co_name}"
        frame = frame.f_back
    return None
