"""`Stage` and `Schedule` of the intermediate phase.

Joint and sequential training differ only in the number of stages, not in code.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

from tasksearch.core.errors import BadInput
from tasksearch.core.methods import canonical_methods
from tasksearch.core.mixture import Mixture

KINDS = ("none", "joint", "sequential", "annealed", "staged")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of the intermediate phase with one mixture, or with a mixture that changes linearly.

    Attributes:
        start: mixture at the first step.
        end: mixture at the last step; equal to `start` unless the stage is annealed. Shares change linearly in between.
        steps: optimiser steps, at least 1.
        learning_rate: peak rate of the encoder; None: that of the plan's settings. It is set where the search varies it.
        methods: training methods in words, with their phases (`core.methods`), beside those of the plan's settings; set where
            the search varies them. Those of the first stage hold for the target phases.
    """

    start: Mixture
    end: Mixture
    steps: int
    learning_rate: float | None = None
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise BadInput(f"a stage of {self.steps} steps; expected at least 1")
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            raise BadInput(f"a stage with learning rate {self.learning_rate}; expected a positive number")

    @property
    def tasks(self) -> tuple[str, ...]:
        """All tasks of the stage, sorted."""
        return tuple(sorted({*self.start.tasks, *self.end.tasks}))

    @cached_property
    def annealed(self) -> bool:
        """Whether the mixture changes during the stage."""
        return self.start != self.end

    def share(self, task: str) -> Fraction:
        """Return the task's share of the stage's examples: the mean of its first and last share."""
        return (self.start.share(task) + self.end.share(task)) / 2 if self.annealed else self.start.share(task)

    def to_json(self) -> dict[str, Any]:
        """Return the plain form; `end` only for an annealed stage, rate and methods only where they are set."""
        data: dict[str, Any] = {"mixture": self.start.to_json(), "steps": self.steps}
        data |= {} if self.learning_rate is None else {"learning_rate": self.learning_rate}
        data |= {"methods": list(self.methods)} if self.methods else {}
        return data | ({"end": self.end.to_json()} if self.annealed else {})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Restore a stage from the output of `to_json`."""
        start, rate = Mixture.from_json(data["mixture"]), data.get("learning_rate")
        end = Mixture.from_json(data["end"]) if "end" in data else start
        return cls(
            start=start,
            end=end,
            steps=int(data["steps"]),
            learning_rate=None if rate is None else float(rate),
            methods=canonical_methods(data.get("methods", ())),
        )


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The intermediate phase as a sequence of stages.

    No stage is the baseline, one stage is joint training, one stage per task is sequential, and one stage whose mixture changes
    is annealed.
    """

    stages: tuple[Stage, ...] = ()

    @classmethod
    def none(cls) -> Self:
        """Return the schedule without an intermediate phase: the baseline."""
        return cls()

    @classmethod
    def joint(cls, mixture: Mixture, steps: int) -> Self:
        """Return a schedule that trains all tasks together from the first step to the last."""
        return cls(stages=(Stage(start=mixture, end=mixture, steps=steps),))

    @classmethod
    def sequential(cls, stages: Sequence[tuple[str, int]]) -> Self:
        """Return a schedule that trains one task after another: `[("qqp", 150), ("mnli", 150)]`, each task with its steps."""
        return cls(stages=tuple(Stage(start=Mixture.uniform(t), end=Mixture.uniform(t), steps=n) for t, n in stages))

    @classmethod
    def annealed(cls, start: Mixture, end: Mixture, steps: int) -> Self:
        """Return a schedule of one stage whose mixture changes linearly from `start` to `end`."""
        return cls(stages=(Stage(start=start, end=end, steps=steps),))

    def at_rate(self, learning_rate: float | None) -> Schedule:
        """Return the same schedule with this peak learning rate in every stage; None: that of the plan's settings."""
        if all(stage.learning_rate == learning_rate for stage in self.stages):
            return self
        return Schedule(stages=tuple(dataclasses.replace(stage, learning_rate=learning_rate) for stage in self.stages))

    def with_methods(self, methods: Sequence[str]) -> Schedule:
        """Return the same schedule with these training methods in every stage."""
        if all(stage.methods == tuple(methods) for stage in self.stages):
            return self
        return Schedule(stages=tuple(dataclasses.replace(stage, methods=tuple(methods)) for stage in self.stages))

    def trained_as(self, other: Schedule) -> Schedule:
        """Return the same schedule with the learning rate and the methods of another."""
        return self.at_rate(other.learning_rate).with_methods(other.methods)

    @property
    def methods(self) -> tuple[str, ...]:
        """Training methods of the first stage, which are those of all stages in a search."""
        return self.stages[0].methods if self.stages else ()

    @property
    def learning_rate(self) -> float | None:
        """Peak learning rate of the first stage, which is that of all stages in a search; None: that of the plan's settings."""
        return self.stages[0].learning_rate if self.stages else None

    @property
    def rate_words(self) -> str:
        """Return ` at 2e-05`, or of every stage where they differ, and ` with METHODS`; empty where no stage has its own."""
        rates = ["the usual rate" if s.learning_rate is None else f"{s.learning_rate:.4g}" for s in self.stages]
        told = "" if all(s.learning_rate is None for s in self.stages) else f" at {' → '.join(dict.fromkeys(rates))}"
        methods = " → ".join(dict.fromkeys(" ".join(s.methods) or "no method" for s in self.stages))
        return told + (f" with {methods}" if any(s.methods for s in self.stages) else "")

    @property
    def steps(self) -> int:
        """Optimiser steps of all stages together."""
        return sum(stage.steps for stage in self.stages)

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """All intermediate tasks, sorted."""
        return tuple(sorted({task for stage in self.stages for task in stage.tasks}))

    @cached_property
    def kind(self) -> str:
        """One of `KINDS`.

        A single task counts as `joint`. Several stages are `sequential` if each has one task, apart from tasks that all of them
        have at one share (text kept up beside every stage); otherwise they are `staged`.
        """
        if not self.stages:
            return "none"
        if len(self.stages) == 1:
            return "annealed" if self.stages[0].annealed else "joint"
        if all(len(stage.tasks) == 1 for stage in self.stages):
            return "sequential"
        whole = [mixture for stage in self.stages for mixture in (stage.start, stage.end)]
        common = {task for task, share in whole[0] if all(mixture.share(task) == share for mixture in whole)}
        return "sequential" if all(len(set(stage.tasks) - common) == 1 for stage in self.stages) else "staged"

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Tasks by the mean position of their examples in the phase; ties in alphabetical order."""
        if len(self.stages) == 1:  # shortcuts with the same result: exact fractions are slow
            [stage] = self.stages
            if not stage.annealed:
                return self.tasks  # all have the same mean position
            # the mean position grows with the part of the task's examples that the end has
            late = {task: stage.end.share(task) / (stage.start.share(task) + stage.end.share(task)) for task in self.tasks}
            return tuple(sorted(self.tasks, key=lambda task: (late[task], task)))
        alone = [stage.tasks[0] for stage in self.stages if len(stage.tasks) == 1]
        if len(set(alone)) == len(self.stages):
            return tuple(alone)
        centre: dict[str, Fraction] = {}
        weight: dict[str, Fraction] = {}
        done = Fraction(0)
        for stage in self.stages:
            for task in stage.tasks:
                first, last = stage.start.share(task), stage.end.share(task)
                # mean position, as a fraction of the stage, under a density that changes linearly from `first` to `last`
                within = (first + 2 * last) / (3 * (first + last))
                mass = stage.share(task) * stage.steps
                centre[task] = centre.get(task, Fraction(0)) + mass * (done + within * stage.steps)
                weight[task] = weight.get(task, Fraction(0)) + mass
            done += stage.steps
        return tuple(sorted(centre, key=lambda task: (centre[task] / weight[task], task)))

    def renamed(self, names: Mapping[str, str]) -> Self:
        """Return the schedule with tasks under other names; those without an entry keep theirs."""
        stages = (
            dataclasses.replace(stage, start=stage.start.renamed(names), end=stage.end.renamed(names)) for stage in self.stages
        )
        return type(self)(stages=tuple(stages))

    def __hash__(self) -> int:
        """Return the hash of the stages, computed once: a search compares each mix with all before it."""
        known = self.__dict__.get("_hash")
        if known is None:
            known = self.__dict__["_hash"] = hash(self.stages)
        return int(known)

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value for name, value in self.__dict__.items() if name != "_hash"
        }  # another process hashes text otherwise

    @property
    def rules(self) -> tuple[tuple[str, str], ...]:
        """Mixture rules of each stage's start and end, as text; empty where no mixture follows one."""
        rules = tuple((stage.start.rule, stage.end.rule) for stage in self.stages)
        return rules if any(map(any, rules)) else ()

    def with_rules(self, rules: Sequence[Sequence[str]]) -> Schedule:
        """Return the schedule with these labels on its mixtures, in the form of `rules`."""
        if not rules:
            return self
        named = [
            dataclasses.replace(
                stage, start=dataclasses.replace(stage.start, rule=start), end=dataclasses.replace(stage.end, rule=end)
            )
            for stage, (start, end) in zip(self.stages, rules, strict=True)
        ]
        return Schedule(stages=tuple(named))

    def share(self, task: str) -> Fraction:
        """Return the task's share of the examples of the whole phase."""
        if not self.stages:
            return Fraction(0)
        if len(self.stages) == 1:  # a shortcut with the same result: most schedules have one stage
            return self.stages[0].share(task)
        return sum((stage.share(task) * stage.steps for stage in self.stages), Fraction(0)) / self.steps

    def mixture(self) -> Mixture | None:
        """Return the mixture of the whole phase; None for the baseline. Schedules of a matched pair have equal ones."""
        if len(self.stages) == 1 and not self.stages[0].annealed:
            return self.stages[0].start
        return Mixture.of({task: self.share(task) for task in self.tasks}) if self.stages else None

    def __str__(self) -> str:
        if not self.stages:
            return "no intermediate phase"
        if self.kind == "annealed":
            stage = self.stages[0]
            return f"({stage.start}) ⇝ ({stage.end}), {stage.steps} steps{self.rate_words}"
        if self.kind == "joint":
            return f"{self.stages[0].start}, {self.steps} steps{self.rate_words}"
        return " → ".join(f"{stage.start} ({stage.steps})" for stage in self.stages) + self.rate_words

    def to_json(self) -> list[dict[str, Any]]:
        """Return the stages as a list."""
        return [stage.to_json() for stage in self.stages]

    @classmethod
    def from_json(cls, data: Sequence[Mapping[str, Any]]) -> Self:
        """Restore a schedule from the output of `to_json`."""
        return cls(stages=tuple(Stage.from_json(stage) for stage in data))
