"""What designed trials are called. A design keeps its own name; designs that come to one schedule are one trial of both names.

Shares are rounded (to eighths as a rule), so equal shares of three tasks are 3/8, 3/8 and 2/8: a schedule alone does not say
which design it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import lcm

from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace, on_grid
from tasksearch.search.controls import alike
from tasksearch.search.designed_trials import PROPORTIONAL, SINGLE, SIZE_RULE, UNIFORM, Design, designed_trials


@dataclass(frozen=True, kw_only=True)
class DesignNames:
    """Names of schedules, by the designs of a study; without designs by the schedules' own shape."""

    designs: tuple[Design, ...] = ()

    @classmethod
    def of(cls, spaces: Iterable[SearchSpace], sizes: Mapping[str, int]) -> DesignNames:
        """Of a study whose space was each of these in turn.

        Args:
            sizes: task → number of training examples.
        """
        return cls(designs=tuple(design for space in spaces for design in designed_trials(space, sizes)))

    def all_of(self, schedule: Schedule) -> tuple[str, ...]:
        """Every design that the schedule is, at its own length and rate or others."""
        for design in self.designs:
            if schedule in (design.schedule, alike(design.schedule, schedule)):
                return design.names
        return (_by_shape(schedule),)

    def name(self, schedule: Schedule) -> str:
        """`uniform joint`; `uniform = proportional joint` for one schedule that two designs come to."""
        return joined(self.all_of(schedule))


def joined(names: Iterable[str]) -> str:
    """Names of one schedule as one: the noun that they share is said once."""
    *first, last = names
    noun = last.rpartition(" ")[2]
    return " = ".join([*(name.removesuffix(f" {noun}") for name in first), last])


def _by_shape(schedule: Schedule) -> str:
    if len(schedule.tasks) == 1:
        return SINGLE
    if schedule.kind == "sequential":
        return SIZE_RULE
    if (mixture := schedule.mixture()) is None:
        return PROPORTIONAL
    grid = lcm(*(share.denominator for _, share in mixture))
    even = len({share for _, share in mixture}) == 1 or mixture == on_grid(dict.fromkeys(mixture.tasks, 1), grid)
    return UNIFORM if even else PROPORTIONAL
