"""`plain`: convert frozen values to JSON values, for `--json` and reports."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from tasksearch.core.schedule import Schedule
from tasksearch.core.signature import to_plain


def plain(value: Any) -> Any:
    """Convert dataclasses to objects, tuples to lists, schedules to their stages and a text, and non-finite numbers to null."""
    if isinstance(value, Schedule):
        return value.to_json()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        held = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        words = {_word(name): str(item) for name, item in held.items() if isinstance(item, Schedule)}
        return {name: plain(item) for name, item in held.items()} | words
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return to_plain(value)


def _word(name: str) -> str:
    return "mix" if name == "schedule" else f"{name}_words"
