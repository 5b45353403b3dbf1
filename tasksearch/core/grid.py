"""`GridPlan`: one line of a search space that is a finite list of plans instead of something to draw from.

A plan names its tasks and how their shares follow from their sizes; its length is counted in optimiser steps, or in passes over
the examples. Both become a `Schedule` once the sizes of the tasks are known.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture, as_fraction
from tasksearch.core.mixture_rule import MixtureRule
from tasksearch.core.schedule import Schedule

NONE = "none"
"""Name of the plan without an intermediate phase: the baseline, which every study trains and no grid has to list."""


@dataclass(frozen=True, kw_only=True)
class GridPlan:
    """One plan of a grid, or one for every task of the space.

    Attributes:
        name: what tables call it; of a plan for `each` task it follows the task's own name, and may be empty.
        tasks: its intermediate tasks, trained jointly; empty: all tasks of the space.
        each: one plan for each of these tasks alone.
        rule: how shares follow from the numbers of training examples, as `core.mixture_rule` writes it: `capped(131072)`.
        schedule: the whole schedule, in place of tasks, rule and the space's lengths.
        beside: a task that is kept up beside them from the first step to the last, such as text for MLM; empty: none.
        share: of the examples that are its own, in (0, 1), as text such as `1/8`. A length in epochs grows by it, so that the
            tasks get the passes that they are to get; one in steps stays.
    """

    name: str = ""
    tasks: tuple[str, ...] = ()
    each: bool = False
    rule: str = "proportional"
    schedule: Schedule | None = None
    beside: str = ""
    share: str = "0"

    def __post_init__(self) -> None:
        if not (self.each or self.name) or self.name == NONE:
            raise BadInput(f"a plan of a grid is named {self.name!r}; expected a name of its own, or each=True")
        MixtureRule.parse(self.rule)
        if self.schedule is not None and (self.each or self.tasks or not self.schedule.stages):
            raise BadInput(
                f"plan {self.name!r}: a schedule beside tasks, or an empty one; expected either a schedule with stages or tasks"
            )

        if self.beside and self.beside in self.tasks:
            raise BadInput(
                f"plan {self.name!r} keeps {self.beside!r} up beside tasks of which it is one; expected it among the tasks, or "
                "beside the others"
            )
        if bool(self.beside) is not (0 < as_fraction(self.share) < 1) or (self.beside and self.schedule):
            raise BadInput(
                f"plan {self.name!r}: share {self.share} of {self.beside or 'no task'} beside its tasks; expected a task "
                "with a share between 0 and 1, or neither, and no schedule"
            )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Restore a plan from its plain form."""
        schedule = data["schedule"]
        return cls(
            name=data["name"],
            tasks=tuple(data["tasks"]),
            each=data["each"],
            rule=data["rule"],
            schedule=None if schedule is None else Schedule.from_json(schedule),
            beside=data.get("beside", ""),
            share=data.get("share", "0"),
        )

    @property
    def asked_tasks(self) -> tuple[str, ...]:
        """Tasks that the plan names itself."""
        own = self.schedule.tasks if self.schedule else self.tasks
        return (*own, self.beside) if self.beside else own

    @property
    def is_relative(self) -> bool:
        """Whether its tasks are those of the space."""
        return self.schedule is None and not self.tasks


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """A plan of a grid at one length, with its schedule.

    Attributes:
        name: of the plan; with its length where the grid has several.
        params: what stands for it in Optuna.
    """

    name: str
    schedule: Schedule
    params: tuple[tuple[str, Any], ...]


def listed(grid: Sequence[GridPlan], tasks: Sequence[str]) -> dict[str, GridPlan]:
    """Return name → plan, those for `each` task written out; a plan that would repeat one before it is left out.

    Raises:
        BadInput: two plans have one name.
    """
    found: dict[str, GridPlan] = {}
    every = _plain(grid, tasks)
    for plan in grid:
        own = plan.tasks or every
        if plan.each:
            alone = [dataclasses.replace(plan, each=False, name=f"{task} {plan.name}".strip(), tasks=(task,)) for task in own]
        elif plan.schedule is None:
            alone = [dataclasses.replace(plan, tasks=own)]
        else:
            alone = [plan]
        before = {(one.tasks, one.beside, one.share) for one in found.values() if one.schedule is None}
        # all tasks of a space with one: the single task again
        news = [one for one in alone if len(one.tasks) != 1 or (one.tasks, one.beside, one.share) not in before]
        for one in news:
            if one.name in found:
                raise BadInput(f"two plans of the grid are named {one.name!r}; expected different names")
            found[one.name] = one
    return found


def _plain(grid: Sequence[GridPlan], tasks: Sequence[str]) -> tuple[str, ...]:
    """Return the tasks that relative plans mean: without those that are kept up beside others, and without translations."""
    beside = {plan.beside for plan in grid}
    return tuple(task for task in tasks if task not in beside and ":" not in task)


def rows_of(
    grid: Sequence[GridPlan],
    tasks: Sequence[str],
    sizes: Mapping[str, int],
    *,
    steps: Sequence[int] = (),
    epochs: Sequence[float] = (),
    batch_size: int = 1,
) -> tuple[GridRow, ...]:
    """Return every plan of a grid at every length, in the order they run.

    Args:
        tasks: of the space.
        sizes: task → number of training examples.
        steps: lengths in optimiser steps.
        epochs: lengths in passes, in place of `steps`: over all tasks of a plan, each cut to its cap, in whole steps of a task,
            as jiant counts them (`configurator.py`).
        batch_size: examples of a step.
    """
    lengths: Sequence[float] = epochs or steps
    rows = []
    for name, plan in listed(grid, tasks).items():
        for length in lengths if plan.schedule is None else (None,):
            told = {"plan": name} if len(lengths) < 2 else {"plan": name, "length": length}
            words = "" if length is None or len(lengths) < 2 else f", {length:g} {'epochs' if epochs else 'steps'}"
            schedule = plan.schedule or _schedule(plan, tasks, sizes, length or 0, batch_size if epochs else None)
            if plan.beside:
                schedule = _kept_up(plan, schedule, longer=bool(epochs))
            rows.append(GridRow(name=name + words, schedule=schedule, params=tuple(told.items())))
    return tuple(rows)


def _kept_up(plan: GridPlan, schedule: Schedule, *, longer: bool) -> Schedule:
    """Return a joint schedule with a further task beside all others."""
    mixture, share = schedule.mixture(), as_fraction(plan.share)
    assert mixture is not None, "a plan of a grid has tasks"
    shares = {task: own * (1 - share) for task, own in mixture} | {plan.beside: share}
    return Schedule.joint(Mixture.of(shares), math.ceil(schedule.steps / (1 - share)) if longer else schedule.steps)


def _schedule(
    plan: GridPlan, tasks: Sequence[str], sizes: Mapping[str, int], length: float, batch_size: int | None
) -> Schedule:
    own, rule = plan.tasks or tuple(tasks), MixtureRule.parse(plan.rule)
    counted = {task: min(sizes.get(task, 0), rule.cap or sizes.get(task, 0)) for task in own}
    if empty := [task for task, size in counted.items() if size < 1 and (len(own) > 1 or batch_size)]:
        raise BadInput(f"plan {plan.name!r}: no training example of {', '.join(empty)}; expected their sizes")
    mixture = Mixture.uniform(*own) if len(own) == 1 else rule.mixture({task: sizes[task] for task in own})
    if batch_size is not None:
        length = math.ceil(length * sum(-(-size // batch_size) for size in counted.values()))
    return Schedule.joint(mixture, int(length))
