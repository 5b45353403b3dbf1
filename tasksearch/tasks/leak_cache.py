"""Cache of leakage results, keyed by the hashes of training and evaluation data: a check runs once, not at every resume."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tasksearch.core.signature import signature_of
from tasksearch.core.small_cache import read_cached, write_cached
from tasksearch.tasks.leakage import Evaluated, Leak, TrainingTexts, find_leaks, worst_first

LEAK_RULE = 1
"""Raised by hand whenever a change of `leakage.py` changes what is found."""

_KIND = "leakage"


def known_leaks(trained: Sequence[TrainingTexts], evaluated: Sequence[Evaluated]) -> tuple[Leak, ...]:
    """Return what `find_leaks` does, without reading a training set whose result is cached.

    The cache holds one result for each training set and list of evaluation splits.
    """
    names = {one.name: _name(one, evaluated) for one in trained}
    found: list[Leak] = []
    new: list[TrainingTexts] = []
    for one in trained:
        known = _known(names[one.name], one.name)
        if known is None:
            new.append(one)
        else:
            found += known
    fresh = find_leaks(new, evaluated) if new else ()
    for one in new:
        if names[one.name]:
            write_cached(_KIND, names[one.name], [dataclasses.asdict(leak) for leak in fresh if leak.trained == one.name])
    return worst_first((*found, *fresh))


def _name(one: TrainingTexts, evaluated: Sequence[Evaluated]) -> str:
    """Return the cache key; empty if a data set has no fingerprint."""
    if not one.fingerprint or not all(e.fingerprint for e in evaluated):
        return ""
    asked = [(e.task, e.language, e.split, e.fingerprint, e.translates) for e in evaluated]
    return signature_of("leaks", LEAK_RULE, one.fingerprint, one.data, one.raw, asked)


def _known(name: str, trained: str) -> list[Leak] | None:
    rows = read_cached(_KIND, name) if name else None
    try:
        return None if rows is None else [_leak(row, trained) for row in rows]
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _leak(row: dict[str, object], trained: str) -> Leak:
    shown = tuple((str(name), str(text)) for name, text in row["shown"])  # type: ignore[attr-defined]
    return Leak(**row | {"trained": trained, "shown": shown})  # type: ignore[arg-type]
