"""Controls of the court: what is trained beside the leaders, on their first fresh seeds, and is never chosen.

`exposure`: no intermediate phase, every target phase longer by as many examples as a leader's intermediate phase shows. A mix
that holds a target's own training data may win by showing more of it, and any mix by more steps; this control has both.
`soup`: the average of the encoders that the leaders' intermediate phases end with, each of the same seed, then the target
phases as usual (uniform soup: Wortsman et al., ICML 2022). It stands beside the pick and is no trained mix.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule

PlanOf = Callable[[Schedule, int], Plan]


def control_plans(names: Sequence[str], plan_of: PlanOf, leaders: Iterable[Schedule], seeds: Sequence[int]) -> tuple[Plan, ...]:
    """Controls in the order they run, every seed of one before the next.

    Args:
        names: out of `core.study.CONTROLS`.
        plan_of: (schedule, seed) → plan.
        leaders: their schedules; leaders of one length share an exposure control, fewer than two make no soup.
        seeds: the leaders' first fresh ones.
    """
    mixes = tuple(dict.fromkeys(leaders))
    makers: list[Callable[[int], Plan]] = []
    if "exposure" in names:
        lengths = sorted({plan_of(mix, 0).intermediate_examples for mix in mixes})
        makers += [_lengthened(plan_of, examples) for examples in lengths]
    if "soup" in names and len(mixes) > 1:
        makers.append(lambda seed: dataclasses.replace(plan_of(Schedule.none(), seed), soup=mixes))
    return tuple(make(seed) for make in makers for seed in seeds)


def _lengthened(plan_of: PlanOf, examples: int) -> Callable[[int], Plan]:
    return lambda seed: dataclasses.replace(plan_of(Schedule.none(), seed), extra_examples=examples)
