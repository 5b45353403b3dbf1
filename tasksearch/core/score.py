"""`Score` and `ScoreTable`: what a trial yields, in long form."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

Half = Literal["select", "report"]
HALVES: tuple[Half, ...] = ("select", "report")
"""Selecting and reporting never share an example: authors' dev selects and test reports; a single split is cut once by
document."""

ENGLISH = "en"


@dataclass(frozen=True, kw_only=True)
class Score:
    """One number of one trial.

    Attributes:
        target: target task.
        language: language code of the evaluation text.
        half: `select` or `report`.
        metric: what `value` is (`accuracy`, `f1`, `em_f1`, …).
        value: percent, in [0, 100].
        examples: examples scored.
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
class ScoreTable:
    """Rows of `Score`, ordered by target, language and half, so that equal tables are equal values."""

    rows: tuple[Score, ...] = ()

    def __post_init__(self) -> None:
        order = sorted(self.rows, key=lambda s: (s.target, s.language, s.half, s.metric, s.seed))
        object.__setattr__(self, "rows", tuple(order))

    @classmethod
    def of(cls, rows: Iterable[Score]) -> Self:
        """From rows in any order."""
        return cls(rows=tuple(rows))

    def __iter__(self) -> Iterator[Score]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __add__(self, other: ScoreTable) -> ScoreTable:
        return ScoreTable(rows=self.rows + other.rows)

    def cell(self, target: str, language: str, half: Half) -> Score | None:
        """The first row of that cell, `None` where the trial has none."""
        return next((s for s in self.rows if (s.target, s.language, s.half) == (target, language, half)), None)

    def values(self, half: Half) -> dict[tuple[str, str], float]:
        """(target, language) → percent on one half."""
        return {(s.target, s.language): s.value for s in self.rows if s.half == half}

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets in the table, sorted."""
        return tuple(sorted({s.target for s in self.rows}))

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages in the table, sorted."""
        return tuple(sorted({s.language for s in self.rows}))

    def to_json(self) -> list[dict[str, Any]]:
        """A list of rows, ready for `pandas.DataFrame`."""
        return [dataclasses.asdict(s) for s in self.rows]

    @classmethod
    def from_json(cls, data: Sequence[Mapping[str, Any]]) -> Self:
        """The inverse of `to_json`."""
        return cls(rows=tuple(Score(**row) for row in data))
