"""Designed trials: every single task, all tasks jointly, and the order of the size rule, before the sampler starts.

All designs have one length and one learning rate, the first that the space lists, so that they are compared at equal steps. A
design that the space cannot express is left out, and equal ones are run once. The baseline's seeds come before them and are not
in this list. Of a space that is a grid the designs are its plans, and no other mix is trained.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasksearch.core.kept_up import ALONE
from tasksearch.core.rule_schedules import EXPLICIT
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace, decode, suggest

_HEAVIEST = 4  # the largest weight in a space with a grid of weights

SINGLE, UNIFORM, PROPORTIONAL, SIZE_RULE = "best single", "uniform joint", "proportional joint", "size rule"
"""Names of the designs; of the single tasks the best is compared."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """A designed trial: what a sampler would have had to propose, and the schedule that comes of it.

    Attributes:
        names: of the designs that come to it: several where rounding makes their shares equal.
    """

    params: tuple[tuple[str, Any], ...]
    schedule: Schedule
    names: tuple[str, ...] = ()


def designed_trials(space: SearchSpace, sizes: Mapping[str, int]) -> tuple[Design, ...]:
    """Return the designed trials in the order they run.

    1. Every single task, in the space's order.
    2. All tasks jointly, with equal shares.
    3. All tasks jointly, with shares in proportion to their numbers of training examples, as far as the weights reach.
    4. All tasks one after the other in the same shares, the smallest first: the size rule. Of two tasks, Weller et al. (ACL
       2022) find one after the other best where the later is the larger, and joint training (designs 2 and 3) best otherwise.

    Args:
        space: with tasks and steps filled in.
        sizes: task → number of training examples; without a size for every task 3 and 4 are left out.

    Raises:
        BadInput: a grid's plan needs sizes that are not there.
    """
    if space.grid:
        rows = space.rows(sizes)
        named = [(SINGLE if len(row.schedule.tasks) == 1 else row.name, row) for row in rows]
        return _distinct((name, Design(params=row.params, schedule=row.schedule)) for name, row in named)
    tasks = space.tasks
    wanted: list[tuple[str, dict[str, Any]]] = [(SINGLE, _wish(space, [task])) for task in tasks]
    wanted.append((UNIFORM, _wish(space, tasks, rule="uniform")))
    if all(sizes.get(task, 0) > 0 for task in tasks):
        weights = _proportional(space, sizes)
        wanted.append((PROPORTIONAL, _wish(space, tasks, weights=weights, rule="proportional")))
        ascending = sorted(tasks, key=lambda task: (sizes[task], task))
        if len({sizes[task] for task in tasks}) > 1:
            wish = _wish(space, tasks, weights=weights, kind="sequential", order=ascending, rule="proportional")
            wanted.append((SIZE_RULE, wish))
    return _distinct((name, design) for name, wish in wanted if (design := design_of(space, wish)) is not None)


def most_designs(space: SearchSpace) -> int:
    """Return the number of designed trials if no two of them are equal."""
    return space.plan_count if space.grid else len(space.tasks) + 3


def design_of(space: SearchSpace, wish: Mapping[str, Any]) -> Design | None:
    """Return the design with these parameters; None where the space cannot express them."""
    try:
        params = suggest(space, Fixed(wish))
    except LookupError:
        return None
    schedule = decode(space, params)
    return None if schedule is None else Design(params=tuple(params.items()), schedule=schedule)


class Fixed:
    """Takes the place of an Optuna trial and answers with given values.

    Raises (from every method):
        LookupError: there is no value, or it is not among the choices.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return the value, one of `choices`."""
        if self._values[name] not in choices:
            raise LookupError(name)
        return self._values[name]

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Return the value, in [low, high]."""
        return int(self._within(name, low, high))

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return the value, in [low, high]."""
        return float(self._within(name, low, high))

    def _within(self, name: str, low: float, high: float) -> Any:
        if not low <= self._values[name] <= high:
            raise LookupError(name)
        return self._values[name]


def _wish(
    space: SearchSpace,
    chosen: Sequence[str],
    *,
    weights: Mapping[str, float] | None = None,
    kind: str = "joint",
    order: Sequence[str] = (),
    rule: str = EXPLICIT,
) -> dict[str, Any]:
    even = 1.0 if space.denominator is None else 1
    wish: dict[str, Any] = {f"use/{task}": task in chosen for task in space.tasks}
    if len(chosen) > 1 and kind not in space.schedules:
        return {}
    if len(chosen) > 1 and space.rules and rule not in space.rules and EXPLICIT not in space.rules:
        return {}
    if space.rules:  # a space that has the design's rule gives its shares exactly, weights only approximate them
        wish["rule"] = rule if rule in space.rules else EXPLICIT
    wish |= {"schedule": kind, "steps": space.steps[0] if space.steps else None}
    wish |= {"learning_rate": space.searched_rates[0]} if space.searched_rates else {}
    wish |= {"method": space.methods[0]} if space.methods else {}
    if space.kept_up:
        wish["kept_up"] = ALONE if ALONE in space.kept_up else space.kept_up[0]
    if space.translations:
        wish["translations"] = "english" if "english" in space.translations else space.translations[0]
    wish |= {f"weight/{task}": weights[task] if weights else even for task in chosen}
    return wish | {f"rank/{task}": place / max(1, len(order) - 1) for place, task in enumerate(order)}


def _proportional(space: SearchSpace, sizes: Mapping[str, int]) -> dict[str, float]:
    largest = max(sizes[task] for task in space.tasks)
    if space.denominator is None:
        return {task: max(0.1, sizes[task] / largest) for task in space.tasks}
    return {task: max(1, round(_HEAVIEST * sizes[task] / largest)) for task in space.tasks}


def _distinct(found: Iterable[tuple[str, Design]]) -> tuple[Design, ...]:
    by_schedule: dict[Schedule, Design] = {}
    for name, design in found:
        first = by_schedule.setdefault(design.schedule, design)
        if name not in first.names and not (first.names and len(design.schedule.tasks) == 1):  # of one task all are single
            by_schedule[design.schedule] = dataclasses.replace(first, names=(*first.names, name))
    return tuple(by_schedule.values())
