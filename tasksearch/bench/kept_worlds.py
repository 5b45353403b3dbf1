"""Measure world by world, with a file that an interrupted benchmark goes on from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tasksearch.bench.measure import Setting, SizeResults, measure
from tasksearch.bench.planted_world import Family


def kept_rows(file: Path | None, asked: Any, worlds: Iterable[int], measured: Callable[[int], Any]) -> Iterator[Any]:
    """Yield what was measured in each world: read from the file where it stands there, else measured and appended.

    Args:
        file: JSON lines, of any number of questions; a line that a crash cut off is left out. None: nothing is kept.
        asked: everything but the world that decides the result, as JSON values.
        worlds: numbers of worlds.
        measured: world → result, as JSON values.
    """
    there = {line["world"]: line["cells"] for line in _lines(file) if line.get("asked") == asked} if file is not None else {}
    for world in worlds:
        if world not in there:
            there[world] = measured(world)
            if file is not None:
                _append(file, {"asked": asked, "world": world, "cells": there[world]})
        yield there[world]


def kept(
    file: Path | None, family: Family, worlds: Iterable[int], trials: Sequence[int], setting: Setting
) -> dict[int, SizeResults]:
    """Return number of trials → results over the worlds, of which those in the file are not measured again."""

    def one(world: int) -> dict[str, Any]:
        found = measure(family, [world], trials, setting=setting)
        return {str(count): dataclasses.asdict(cell) for count, cell in found.items()}

    asked = json.loads(json.dumps({"family": family.name, "trials": list(trials), "setting": dataclasses.asdict(setting)}))
    cells = {count: SizeResults() for count in trials}
    for found in kept_rows(file, asked, worlds, one):
        for count, own in found.items():
            for name, values in own.items():
                getattr(cells[int(count)], name).extend(values)
    return cells


def _append(file: Path, line: dict[str, Any]) -> None:
    whole = not file.exists() or file.read_text()[-1:] in ("", "\n")
    with file.open("a") as sink:
        sink.write(("" if whole else "\n") + json.dumps(line) + "\n")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found
