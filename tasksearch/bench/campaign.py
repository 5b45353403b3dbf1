"""`bench`: measure a sampler and a picker on planted worlds and recorded runs; an interrupted run can be continued."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tasksearch.analysis.picker import Picker
from tasksearch.bench.grid import read_grid
from tasksearch.bench.grid_replay import replay_grid
from tasksearch.bench.kept_worlds import kept_rows
from tasksearch.bench.measure import Setting, SizeResults, measure
from tasksearch.bench.pickers import PICKERS
from tasksearch.bench.planted_world import FAMILIES as PLANTED
from tasksearch.bench.regmix import read_regmix, replay
from tasksearch.bench.results import BenchRows
from tasksearch.bench.samplers import SEARCHES, Sample, Search, own_search, tpe_search
from tasksearch.bench.skill_worlds import SKILL_FAMILIES
from tasksearch.bench.study_replay import RecordedStudy, replay_study
from tasksearch.bench.table import ROWS
from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.own_files import is_path
from tasksearch.core.signature import signature_of
from tasksearch.core.study import SAMPLERS
from tasksearch.study.own_parts import sampler_name
from tasksearch.study.spaces import run_file
from tasksearch.tasks.reading import file_fingerprint

FAMILIES = PLANTED | SKILL_FAMILIES
OnWorld = Callable[[int, int], None]
"""(worlds done, worlds in all)"""
REGMIX, GRID, STUDY = "regmix", "lab-grid", "study"
GRID_FILE = Path(__file__).parents[2] / "benchmarks" / "data" / "lab_grid.npz"
NO_RACE = 3
"""Fresh seeds of a leader where it gets no more than its first ones."""
_NUMBERS = ("*.csv", "study.json", "trials/*.json", "additions/*.json")
"""Files of a folder that replays read: RegMix's tables, or a study's configuration and records."""
VERSION = 4
"""Incremented when the same settings give other numbers: rows kept by an earlier version are not continued."""


@dataclass(frozen=True, kw_only=True)
class BenchConfig:
    """What to measure.

    Attributes:
        problem: a family of planted worlds, `regmix`, `lab-grid`, or `study`.
        worlds, first: number of worlds, or of orders of the recorded pool, and the first: first, first + 1, …
        trials: numbers of trials, ascending.
        sampler, picker: a name, or the path of a Python file.
        most_seeds: the most fresh seeds of a finalist; 3: no race.
        data: folder of recorded runs or of a study; for `lab-grid` its file, by default the one in `benchmarks/data`.
    """

    problem: str
    worlds: int
    first: int
    trials: tuple[int, ...]
    sampler: str = "random"
    picker: str = "pooled"
    most_seeds: int = NO_RACE
    data: Path | None = None

    def __post_init__(self) -> None:
        if self.problem not in problems():
            raise UnknownName("benchmark", self.problem, problems())
        if not self.trials or min(self.trials) < 2 or self.worlds < 1:
            raise BadInput(f"{self.worlds} worlds at {list(self.trials)} trials; expected at least one world and two trials")

    @property
    def signature(self) -> str:
        """Of everything that decides a world's numbers: files of the user's and recorded runs count with their content."""
        texts = [Path(name.partition(":")[0]).read_text() for name in (self.sampler, self.picker) if _is_file(name)]
        plain = dataclasses.replace(self, worlds=1, first=0, data=None)
        fields = {f.name: getattr(plain, f.name) for f in dataclasses.fields(plain)}
        return signature_of("bench", VERSION, fields, texts, *([read] if (read := _recorded_content(self)) else []))


def _recorded_content(config: BenchConfig) -> list[str]:
    """Return a hash of every file with the numbers of recorded runs; none where worlds are planted or nothing is there."""
    data = config.data or (GRID_FILE if config.problem == GRID else None)
    if data is None or config.problem not in (REGMIX, GRID, STUDY):
        return []
    found = [data] if data.is_file() else [path for pattern in _NUMBERS for path in sorted(data.glob(pattern))]
    return [file_fingerprint(path) for path in found]


def problems() -> tuple[str, ...]:
    """Return the names of the benchmarks."""
    return (*FAMILIES, REGMIX, GRID, STUDY)


def bench(config: BenchConfig, *, keep: Path | None = None, on_world: OnWorld | None = None) -> BenchRows:
    """Measure row → number of trials → a value per world.

    Args:
        config: what to measure.
        keep: file that every finished world is appended to; worlds of this configuration in it are not measured again.
        on_world: called after every world.

    Raises:
        UnknownName: no such problem, sampler or picker.
        BadInput, DataMissing: a file that cannot be used.
    """
    measured, rows = _measuring(config), BenchRows()
    worlds = range(config.first, config.first + config.worlds)
    found = kept_rows(keep, config.signature, worlds, lambda world: measured(world).plain())
    for done, cells in enumerate(found, start=1):
        rows.extend(BenchRows.of(cells))
        if on_world is not None:
            on_world(done, config.worlds)
    return rows


def recorded_sizes(folder: Path | None) -> tuple[int, ...]:
    """Return the numbers of trials to replay a recorded study at, where none are asked for."""
    return _recorded(folder).sizes


def limits_of(config: BenchConfig) -> tuple[str, ...]:
    """Return what the numbers cannot tell, a sentence each; empty where the true answer is known."""
    return _recorded(config.data).limits(config.trials) if config.problem == STUDY else ()


def _recorded(folder: Path | None) -> RecordedStudy:
    if folder is None:
        raise BadInput("study needs --data FOLDER, a study's folder")
    return RecordedStudy.read(folder)


def _measuring(config: BenchConfig) -> Callable[[int], BenchRows]:
    picker = _picker(config.picker)
    if config.problem in (REGMIX, GRID, STUDY):
        if config.most_seeds != NO_RACE:
            raise BadInput(
                f"--most-seeds {config.most_seeds} on {config.problem}; recorded runs hold no further seeds to race on"
            )
    elif config.data is not None:
        raise BadInput(
            f"--data {config.data} on {config.problem}; expected {REGMIX}, {GRID} or {STUDY}: planted worlds read no file"
        )
    if config.problem == REGMIX:
        if config.sampler != "random":
            raise BadInput(f"sampler {config.sampler!r} on regmix; expected random: its runs are recorded, in free shares")
        if config.data is None:
            raise BadInput("regmix needs --data FOLDER, where its four recorded files are (github.com/sail-sg/regmix)")
        data, pickers = read_regmix(config.data), PICKERS | {config.picker: picker}
        return lambda order: replay(data, order, config.trials, pickers=pickers)
    if config.problem == GRID:
        grid, asked = read_grid(config.data or GRID_FILE), None if config.picker in PICKERS else picker
        return lambda order: replay_grid(grid, order, config.trials, sampler=_replayed(config.sampler), picker=asked)
    if config.problem == STUDY:
        recorded = _recorded(config.data)
        return lambda order: replay_study(recorded, order, config.trials, sampler=_replayed(config.sampler))
    family, search, setting = FAMILIES[config.problem], _search(config.sampler), Setting(most_seeds=config.most_seeds)
    asked = None if config.picker in PICKERS else picker

    def one(world: int) -> BenchRows:
        return rows_of(measure(family, [world], config.trials, setting=setting, search=search, picker=asked))

    return one


def rows_of(cells: dict[int, SizeResults]) -> BenchRows:
    """Name the results of one or more worlds as tables show them."""
    rows = BenchRows()
    for name, words in ROWS.items():
        for count, cell in cells.items():
            for value in getattr(cell, name):
                rows.add(words, count, value)
    return rows


def _picker(name: str) -> Picker:
    if not _is_file(name):
        if name not in PICKERS:
            raise UnknownName("picker", name, PICKERS)
        return PICKERS[name]
    found: Picker = _function(name, "worth")
    return found


def _search(name: str) -> Search:
    if name.startswith("optuna.") or (_is_file(name) and ":" in name):
        return partial(tpe_search, sampler=sampler_name(name))
    if not _is_file(name):
        return SEARCHES[_known(name)]
    return own_search(_function(name, "sample"))


def _replayed(name: str) -> str | Sample:
    """Return the sampler as a study takes it, or the user's function."""
    if name.startswith("optuna.") or (_is_file(name) and ":" in name):
        return sampler_name(name)
    if _is_file(name):
        found: Sample = _function(name, "sample")
        return found
    if name not in SAMPLERS:
        raise UnknownName("sampler", name, SAMPLERS)
    return name


def _known(sampler: str) -> str:
    if sampler not in SEARCHES:
        raise UnknownName("sampler", sampler, SEARCHES)
    return sampler


def _is_file(name: str) -> bool:
    return is_path(name.partition(":")[0])


def _function(path: str, wanted: str) -> Any:
    path, _, named = path.partition(":")
    wanted = named or wanted
    found = getattr(run_file(Path(path), f"a function {wanted}"), wanted, None)
    if not callable(found):
        raise BadInput(f"{path} has no function {wanted!r}")
    return found


def counts_of(text: str) -> tuple[int, ...]:
    """Parse numbers of trials such as `24,48,96`.

    Raises:
        BadInput: the text is no list of numbers.
    """
    try:
        found: Sequence[int] = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise BadInput(f"--trials {text!r}; expected numbers with commas between, such as 24,48,96") from None
    return tuple(found)
