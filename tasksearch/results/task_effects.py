"""`TaskEffects`: effects of each task, of order and of pairs of tasks in a language, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasksearch.core.errors import UnknownName
from tasksearch.core.plain import plain

_WORDS = {
    "drop": "drop {0}",
    "shapley": "{0}",
    "rate": "rate {0} rather than {1}",
    "last": "{0} last rather than first",
    "kind": "{0} rather than joint",
    "pair": "{0} with {1}",
}


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One effect, in points of percent.

    Attributes:
        kind: `drop`, `shapley`, `rate`, `last`, `kind` or `pair`: see `analysis.task_effects.questions`.
        about: tasks, the kind of schedule, or two learning rates.
        value: posterior mean.
        low, high: ends of the interval.
        mixes: number of trained mixes that it averages over.
    """

    kind: str
    about: tuple[str, ...]
    value: float
    low: float
    high: float
    mixes: int

    @property
    def words(self) -> str:
        """`drop qqp`, `qqp last rather than first`, `mnli with qqp`."""
        return _WORDS[self.kind].format(*self.about)

    @property
    def reach(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    @property
    def line(self) -> str:
        """`drop qqp: -0.1 ± 0.3`."""
        return f"{self.words}: {self.value:+.1f} ± {self.reach:.1f}"

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, kw_only=True)
class TaskEffectsRow:
    """One language, or the mean of several.

    Attributes:
        name, languages: as in a verdict.
        drops, shapley: one effect per task; Shapley values are absent where the tasks are too many.
        order: effects of the learning rate, of training tasks one after the other, and of each task's place.
        pairs: the strongest interactions, by effect relative to its interval.
    """

    name: str
    languages: tuple[str, ...]
    drops: tuple[Effect, ...]
    shapley: tuple[Effect, ...]
    order: tuple[Effect, ...]
    pairs: tuple[Effect, ...]

    @property
    def effects(self) -> tuple[Effect, ...]:
        """All effects of the row."""
        return (*self.drops, *self.shapley, *self.order, *self.pairs)


@dataclass(frozen=True, kw_only=True)
class TaskEffects:
    """Effects in every row.

    Attributes:
        rows: languages, then groups, including `all`.
        tasks: intermediate tasks of the trained mixes.
        mixes: number of trained mixes.
        steps: length of the joint phase that Shapley values refer to.
        pairs_tried: number of pairs of tasks that the strongest were taken from.
        level: of the intervals.
        additive: share of the surrogate's evidence, in [0, 1], that lies with the kernels that effects are read from.
    """

    rows: tuple[TaskEffectsRow, ...]
    tasks: tuple[str, ...]
    mixes: int
    steps: int
    pairs_tried: int
    level: float
    additive: float

    def __getitem__(self, name: str) -> TaskEffectsRow:
        """Return the row of that name.

        Raises:
            UnknownName: there is none.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise UnknownName("language", name, [row.name for row in self.rows])

    def to_json(self) -> dict[str, Any]:
        """Return the effects as JSON values, with each effect as a line of text."""
        found = plain(self)
        assert isinstance(found, dict)
        for told, row in zip(found["rows"], self.rows, strict=True):
            told["lines"] = [effect.line for effect in row.effects if effect.kind != "shapley"]
        return found
