"""`Score` and `ScoreTable`: the scores of a trial in long form, one row per number."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, Literal, Self

Cell = tuple[str, str]
"""(target, language)."""

Half = Literal["select", "report"]
HALVES: tuple[Half, ...] = ("select", "report")
"""Selection and reporting examples, which are always disjoint: the authors' dev split selects and their test split reports; a
task with a single split has it divided once, by document.
"""

ENGLISH = "en"


@dataclass(frozen=True, kw_only=True)
class Score:
    """One score of one trial.

    Attributes:
        target: target task.
        language: language code of the evaluation text.
        half: `select` (selection examples) or `report` (reporting examples).
        metric: name of the metric (`accuracy`, `f1`, `em_f1`, …).
        value: percent, in [0, 100].
        examples: number of examples scored.
        seed: the plan's seed.
    """

    target: str
    language: str
    half: Half
    metric: str
    value: float
    examples: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The keys of a score table without its values; shared by the trials of one study.

    Attributes:
        keys: (target, language, half, metric, examples) of every row, in row order.
    """

    keys: tuple[tuple[str, str, Half, str, int], ...]

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.keys)

    @cached_property
    def places(self) -> dict[Half, dict[Cell, int]]:
        """For `select` and `report`: cell → row index."""
        return {half: {key[:2]: i for i, key in enumerate(self.keys) if key[2] == half} for half in HALVES}

    @cached_property
    def is_ordered(self) -> bool:
        """Whether the keys are in the order that `ScoreTable` gives to rows of one seed."""
        return all(one[:4] <= two[:4] for one, two in itertools.pairwise(self.keys))


class ScoreTable:
    """Immutable table of `Score` rows, sorted by target, language and half, so that equal tables compare equal.

    A table that was read from disk holds a layout and a column of values; its rows are built only when they are needed.
    """

    def __init__(self, *, rows: Iterable[Score] = ()) -> None:
        self._rows: tuple[Score, ...] | None = tuple(
            sorted(rows, key=lambda s: (s.target, s.language, s.half, s.metric, s.seed))
        )
        self._column: tuple[Layout, Sequence[float], int] | None = None

    @classmethod
    def of(cls, rows: Iterable[Score]) -> Self:
        """Build a table from rows in any order."""
        return cls(rows=rows)

    @classmethod
    def of_column(cls, layout: Layout, values: Sequence[float], seed: int) -> Self:
        """Build a table from a layout and one value, in percent, for each of its keys."""
        assert len(values) == len(layout.keys)
        table = cls()
        table._rows, table._column = None, (layout, values, seed)
        return table

    @property
    def rows(self) -> tuple[Score, ...]:
        """All rows, sorted."""
        if self._rows is None:
            assert self._column is not None
            layout, values, seed = self._column
            self._rows = tuple(
                Score(target=t, language=lang, half=half, metric=metric, value=value, examples=n, seed=seed)
                for (t, lang, half, metric, n), value in zip(layout.keys, values, strict=True)
            )
        return self._rows

    def column(self) -> tuple[Layout, tuple[float, ...], int] | None:
        """Return the layout, the values and the seed; None if rows have different seeds."""
        if self._column is not None:
            layout, values, seed = self._column
            return layout, tuple(values), seed
        seeds = {s.seed for s in self.rows}
        if len(seeds) > 1:
            return None
        keys = tuple((s.target, s.language, s.half, s.metric, s.examples) for s in self.rows)
        return Layout(keys=keys), tuple(s.value for s in self.rows), next(iter(seeds), 0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ScoreTable) and self.rows == other.rows

    def __hash__(self) -> int:
        return hash(self.rows)

    def __repr__(self) -> str:
        return f"ScoreTable({len(self)} rows)"

    def __iter__(self) -> Iterator[Score]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self._column[1]) if self._column is not None else len(self.rows)

    def __add__(self, other: ScoreTable) -> ScoreTable:
        return ScoreTable(rows=self.rows + other.rows)

    def cell(self, target: str, language: str, half: Half) -> Score | None:
        """Return the first row of the cell; None if the trial has none."""
        return next((s for s in self.rows if (s.target, s.language, s.half) == (target, language, half)), None)

    def values(self, half: Half) -> dict[tuple[str, str], float]:
        """Return (target, language) → percent on the selection or the reporting examples."""
        if self._column is not None:
            layout, column, _ = self._column
            return {cell: column[i] for cell, i in layout.places[half].items()}
        return {(s.target, s.language): s.value for s in self.rows if s.half == half}

    def cells(self, half: Half) -> Collection[Cell]:
        """Return the cells scored on the selection or the reporting examples.

        Tables read from disk with one layout return one object.
        """
        return self._column[0].places[half] if self._column is not None else self.values(half)

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets in the table, sorted."""
        return tuple(sorted({key[0] for key in self._keys()}))

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages in the table, sorted."""
        return tuple(sorted({key[1] for key in self._keys()}))

    def _keys(self) -> Iterable[tuple[Any, ...]]:
        return ((s.target, s.language) for s in self.rows) if self._column is None else self._column[0].keys

    def to_json(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries, ready for `pandas.DataFrame`."""
        return [dataclasses.asdict(s) for s in self.rows]

    @classmethod
    def from_json(cls, data: Sequence[Mapping[str, Any]]) -> Self:
        """Restore a table from the output of `to_json`."""
        column = _column_of(data)
        return cls(rows=(Score(**row) for row in data)) if column is None else cls.of_column(*column)


def read_columns(tables: Iterable[ScoreTable], half: Half, cells: Sequence[Cell]) -> list[Sequence[float]]:
    """Return for every table the percentages of the given cells, in their order: a fast `values` for many tables.

    Raises:
        KeyError: a table lacks a cell.
    """
    readers: dict[Layout, Callable[[Sequence[float]], Sequence[float]]] = {}
    found: list[Sequence[float]] = []
    for table in tables:
        if table._column is None:
            values = table.values(half)
            found.append([values[cell] for cell in cells])
            continue
        layout, column, _ = table._column
        if layout not in readers:
            readers[layout] = _reader([layout.places[half][cell] for cell in cells])
        found.append(readers[layout](column))
    return found


def _reader(places: list[int]) -> Callable[[Sequence[float]], Sequence[float]]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda column: [column[place] for place in places]


def _column_of(data: Sequence[Mapping[str, Any]]) -> tuple[Layout, list[float], int] | None:
    """Return the (layout, values, seed) of JSON rows without building `Score` objects.

    None unless they are sorted rows of one seed.
    """
    try:
        keys = tuple([(row["target"], row["language"], row["half"], row["metric"], row["examples"]) for row in data])
        values, seeds = [row["value"] for row in data], {row["seed"] for row in data}
        layout = _layout(keys)
    except (KeyError, TypeError):
        return None  # `Score` reports what is wrong with the row
    whole = len(seeds) <= 1 and layout.is_ordered and set(map(len, data)) <= {_FIELDS}
    return (layout, values, next(iter(seeds), 0)) if whole else None


_FIELDS = len(dataclasses.fields(Score))


@lru_cache(maxsize=64)
def _layout(keys: tuple[tuple[str, str, Half, str, int], ...]) -> Layout:
    """Return one shared layout for all tables with these keys."""
    return Layout(keys=keys)
