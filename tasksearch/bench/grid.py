"""A recorded grid: many mixes, several seeds each, with every example's outcome, in one small file.

The file is an `.npz` without pickled objects. `note` is JSON: where the grid comes from, its mixes and its trainings (which
mix, which seed) in order. For every cell (target, language, half) three arrays hold the outcomes of all trainings: `code/…`
of shape (trainings, examples), indices into `value/…`; and `of/…` of shape (examples,), the denominators, which no training
changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Half

Cell = tuple[str, str, Half]
Outcomes = dict[Cell, NDArray[np.float32]]
VERSION = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """What was recorded.

    Attributes:
        note: where it comes from: `about`, `warning`, `recipe`, `versions`, `command`, `groups` (target → kind), `metrics`.
        mixes: in the order they were trained, the baseline (no stage) first.
        trainings: (mix, seed) of every training.
        codes, values, totals: per cell, as in the file.
    """

    note: Mapping[str, Any]
    mixes: tuple[Schedule, ...]
    trainings: tuple[tuple[int, int], ...]
    codes: Mapping[Cell, NDArray[np.uint8]]
    values: Mapping[Cell, NDArray[np.float32]]
    totals: Mapping[Cell, NDArray[np.float32]]

    @cached_property
    def places(self) -> dict[tuple[Schedule, int], int]:
        """(mix, seed) → training."""
        return {(self.mixes[mix], seed): place for place, (mix, seed) in enumerate(self.trainings)}

    def seeds(self, mix: Schedule) -> tuple[int, ...]:
        """Return the seeds that the mix was trained on, ascending."""
        return tuple(sorted(seed for schedule, seed in self.places if schedule == mix))

    def outcomes(self, mix: Schedule, seed: int) -> Outcomes:
        """Return one array of shape (examples, 2) per cell.

        Raises:
            BadInput: that training was not recorded.
        """
        if (mix, seed) not in self.places:
            raise BadInput(f"no recorded training of {mix} on seed {seed}; the grid holds its seeds {list(self.seeds(mix))}")
        place = self.places[mix, seed]
        return {
            cell: np.stack([self.values[cell][codes[place]], self.totals[cell]], axis=1) for cell, codes in self.codes.items()
        }


def write_grid(path: Path, note: Mapping[str, Any], trainings: Sequence[tuple[Schedule, int, Outcomes]]) -> Grid:
    """Write the trainings to one file, and return the grid as it will be read.

    Raises:
        BadInput: trainings were scored on different examples, or a cell has more than 256 different outcomes.
    """
    mixes = list(dict.fromkeys(schedule for schedule, _, _ in trainings))
    places = {schedule: place for place, schedule in enumerate(mixes)}
    told = {"version": VERSION, **note, "mixes": [schedule.to_json() for schedule in mixes]}
    told["trainings"] = [[places[schedule], seed] for schedule, seed, _ in trainings]
    arrays: dict[str, Any] = {"note": np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)}
    for cell in sorted(trainings[0][2]):
        tops = np.stack([outcomes[cell][:, 0] for _, _, outcomes in trainings]).astype(np.float32)
        bottoms = np.stack([outcomes[cell][:, 1] for _, _, outcomes in trainings]).astype(np.float32)
        values = np.unique(tops)
        if len(values) > 256 or (bottoms != bottoms[0]).any():
            raise BadInput(f"{'/'.join(cell)}: {len(values)} different outcomes, or other examples from training to training")
        name = "/".join(cell)
        arrays |= {f"code/{name}": np.searchsorted(values, tops).astype(np.uint8), f"value/{name}": values}
        arrays |= {f"of/{name}": bottoms[0]}
    part = path.with_suffix(".part")
    with part.open("wb") as sink:
        np.savez_compressed(sink, **arrays)
    part.replace(path)
    return read_grid(path)


def read_grid(path: Path) -> Grid:
    """Read a grid; nothing in the file is executed.

    Raises:
        DataMissing: no such file.
        BadInput: not a grid, or one of another version.
    """
    if not path.is_file():
        raise DataMissing(f"no recorded grid {path}; `python benchmarks/lab_grid.py` makes one")
    try:
        with np.load(path, allow_pickle=False) as file:
            note = json.loads(bytes(file["note"]))
            parts: dict[str, dict[Cell, Any]] = {"code": {}, "value": {}, "of": {}}
            for name in file.files:
                kind, _, cell = name.partition("/")
                if kind in parts:
                    target, language, half = cell.split("/")
                    parts[kind][target, language, half] = file[name]
            mixes = tuple(Schedule.from_json(data) for data in note.pop("mixes"))
            trainings = tuple((int(mix), int(seed)) for mix, seed in note.pop("trainings"))
    except (ValueError, KeyError, TypeError, OSError) as fault:
        raise BadInput(f"{path} is no recorded grid: {type(fault).__name__}: {fault}") from None
    if note.get("version") != VERSION:
        raise BadInput(f"{path} is a grid of version {note.get('version')}; expected {VERSION}")
    return Grid(note=note, mixes=mixes, trainings=trainings, codes=parts["code"], values=parts["value"], totals=parts["of"])
