"""`Stage` and `Schedule`: joint and sequential are lengths of one tuple, never two code paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture

KINDS = ("none", "joint", "sequential", "annealed", "staged")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of the intermediate phase.

    Attributes:
        start: the mixture at the first step.
        end: the mixture at the last step; equal to `start` unless the stage is annealed. The share moves linearly between.
        steps: optimiser steps, at least 1.
    """

    start: Mixture
    end: Mixture
    steps: int

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise BadInput(f"a stage of {self.steps} steps; expected at least 1")

    @property
    def tasks(self) -> tuple[str, ...]:
        """Every task the stage ever shows, in canonical order."""
        return tuple(sorted({*self.start.tasks, *self.end.tasks}))

    @property
    def annealed(self) -> bool:
        """Whether the mixture moves."""
        return self.start != self.end

    def share(self, task: str) -> Fraction:
        """The task's share of the stage's examples: the mean of its first and last share."""
        return (self.start.share(task) + self.end.share(task)) / 2 if self.annealed else self.start.share(task)

    def to_json(self) -> dict[str, Any]:
        """Plain form; an unmoving stage names its mixture once."""
        data: dict[str, Any] = {"mixture": self.start.to_json(), "steps": self.steps}
        return data | ({"end": self.end.to_json()} if self.annealed else {})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        start = Mixture.from_json(data["mixture"])
        return cls(start=start, end=Mixture.from_json(data["end"]) if "end" in data else start, steps=int(data["steps"]))


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The intermediate phase: no stage is the baseline, one is joint, one per task is sequential, one that moves is
    annealed.
    """

    stages: tuple[Stage, ...] = ()

    @classmethod
    def none(cls) -> Self:
        """No intermediate phase: the baseline."""
        return cls()

    @classmethod
    def joint(cls, mixture: Mixture, steps: int) -> Self:
        """All tasks together from the first step to the last."""
        return cls(stages=(Stage(start=mixture, end=mixture, steps=steps),))

    @classmethod
    def sequential(cls, stages: Sequence[tuple[str, int]]) -> Self:
        """One task after the other: `[("qqp", 150), ("mnli", 150)]`."""
        return cls(stages=tuple(Stage(start=Mixture.uniform(t), end=Mixture.uniform(t), steps=n) for t, n in stages))

    @classmethod
    def annealed(cls, start: Mixture, end: Mixture, steps: int) -> Self:
        """One stage whose mixture moves linearly from `start` to `end`."""
        return cls(stages=(Stage(start=start, end=end, steps=steps),))

    @property
    def steps(self) -> int:
        """Optimiser steps over all stages."""
        return sum(stage.steps for stage in self.stages)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Every intermediate task, in canonical order."""
        return tuple(sorted({task for stage in self.stages for task in stage.tasks}))

    @property
    def kind(self) -> str:
        """One of `KINDS`. A single task is `joint` of one; several stages with any mixture in them are `staged`."""
        if not self.stages:
            return "none"
        if len(self.stages) == 1:
            return "annealed" if self.stages[0].annealed else "joint"
        single = all(len(stage.tasks) == 1 for stage in self.stages)
        return "sequential" if single else "staged"

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Tasks in the order in which their examples arrive on average; ties in canonical order."""
        if len(self.stages) == 1 and not self.stages[0].annealed:
            return self.tasks  # all arrive in the middle
        centre: dict[str, Fraction] = {}
        weight: dict[str, Fraction] = {}
        done = Fraction(0)
        for stage in self.stages:
            for task in stage.tasks:
                first, last = stage.start.share(task), stage.end.share(task)
                # mean position of a density that runs linearly from `first` to `last`
                within = Fraction(1, 2) if first + last == 0 else (first + 2 * last) / (3 * (first + last))
                mass = stage.share(task) * stage.steps
                centre[task] = centre.get(task, Fraction(0)) + mass * (done + within * stage.steps)
                weight[task] = weight.get(task, Fraction(0)) + mass
            done += stage.steps
        return tuple(sorted(centre, key=lambda task: (centre[task] / weight[task], task)))

    def share(self, task: str) -> Fraction:
        """The task's share of the examples of the whole phase."""
        if not self.stages:
            return Fraction(0)
        if len(self.stages) == 1:  # exact all the same, and most schedules have one
            return self.stages[0].share(task)
        return sum((stage.share(task) * stage.steps for stage in self.stages), Fraction(0)) / self.steps

    def mixture(self) -> Mixture | None:
        """The phase's overall mixture, `None` for the baseline. Twins have equal ones."""
        if len(self.stages) == 1 and not self.stages[0].annealed:
            return self.stages[0].start
        return Mixture.of({task: self.share(task) for task in self.tasks}) if self.stages else None

    def __str__(self) -> str:
        if not self.stages:
            return "no intermediate phase"
        if self.kind == "annealed":
            stage = self.stages[0]
            return f"({stage.start}) ⇝ ({stage.end}), {stage.steps} steps"
        if self.kind == "joint":
            return f"{self.stages[0].start}, {self.steps} steps"
        return " → ".join(f"{stage.start} ({stage.steps})" for stage in self.stages)

    def to_json(self) -> list[dict[str, Any]]:
        """A list of stages."""
        return [stage.to_json() for stage in self.stages]

    @classmethod
    def from_json(cls, data: Sequence[Mapping[str, Any]]) -> Self:
        """The inverse of `to_json`."""
        return cls(stages=tuple(Stage.from_json(stage) for stage in data))
