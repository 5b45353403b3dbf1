"""`kept`: measure world by world, with a file that an interrupted benchmark goes on from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tasksearch.bench.measure import Setting, SizeResults, measure
from tasksearch.bench.planted_world import Family


def kept(
    file: Path | None, family: Family, worlds: Iterable[int], trials: Sequence[int], setting: Setting
) -> dict[int, SizeResults]:
    """Return number of trials → results over the worlds; with a file, worlds that stand there are read, new ones appended."""
    asked = {"family": family.name, "trials": list(trials), "setting": dataclasses.asdict(setting)}
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file is not None and file.exists() else []
    there = {row["world"]: row["cells"] for row in rows if row["asked"] == asked}
    cells = {count: SizeResults() for count in trials}
    for world in worlds:
        found = there.get(world) or {
            str(count): dataclasses.asdict(one) for count, one in measure(family, [world], trials, setting=setting).items()
        }
        if file is not None and world not in there:
            with file.open("a") as sink:
                sink.write(json.dumps({"asked": asked, "world": world, "cells": found}) + "\n")
        for count, own in found.items():
            for name, values in own.items():
                getattr(cells[int(count)], name).extend(values)
    return cells
