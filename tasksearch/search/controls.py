"""Controls of the baseline comparison: what is trained beside the leaders, on their fresh seeds, and is never chosen.

`length`: the free baseline among the leaders (best single task, uniform joint, …), its mixture at the other leaders' lengths.
Designed trials have the first length of the space; a longer mix should beat what is free at its own length too.
`exposure`: no intermediate phase, every target phase longer by as many examples as a leader's intermediate phase shows. A mix
that holds a target's own training data may win by showing more of it, and any mix by more steps; this control has both.
`soup`: the average of the encoders that the leaders' intermediate phases end with, each of the same seed, then the target
phases as usual (uniform soup: Wortsman et al., ICML 2022). It stands beside the pick and is no trained mix.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.shares import largest_remainder
from tasksearch.core.study import StudyConfig, TrialRecord

LEAST_SEEDS = 3
"""Controls do not race: what they are compared by stands on three seeds from the beginning."""
PlanOf = Callable[[Schedule, int], Plan]


def control_plans(
    names: Sequence[str], plan_of: PlanOf, leaders: Iterable[Schedule], free: Schedule | None, seeds: Sequence[int]
) -> tuple[Plan, ...]:
    """Controls in the order they run, every seed of one before the next.

    Args:
        names: out of `core.study.CONTROLS`.
        plan_of: (schedule, seed) → plan.
        leaders: their schedules; leaders of one length share an exposure control, fewer than two make no soup.
        free: the free baseline among them.
        seeds: fresh ones.
    """
    mixes = tuple(dict.fromkeys(leaders))
    makers: list[Callable[[int], Plan]] = []
    if "length" in names and free is not None:
        others = {stretched(free, mix.steps) for mix in mixes} - set(mixes)
        makers += [_at(plan_of, schedule) for schedule in sorted(others, key=lambda schedule: schedule.steps)]
    if "exposure" in names:
        lengths = sorted({plan_of(mix, 0).intermediate_examples for mix in mixes})
        makers += [_lengthened(plan_of, examples) for examples in lengths]
    if "soup" in names and len(mixes) > 1:
        makers.append(lambda seed: dataclasses.replace(plan_of(Schedule.none(), seed), soup=mixes))
    return tuple(make(seed) for make in makers for seed in seeds)


def control_seeds(config: StudyConfig) -> range:
    """Fresh seeds from 1, where the leaders' are: as many as a leader gets at first, three where leaders may have as many."""
    return range(1, 1 + max(config.leader_seeds, min(LEAST_SEEDS, config.most_seeds)))


def most_controls(config: StudyConfig) -> int:
    """Trainings of the controls of a complete study, at most."""
    lengths = min(config.leaders, len(config.space.steps) or 1)
    each = {"length": lengths - 1, "exposure": lengths, "soup": int(config.leaders > 1)}
    return len(control_seeds(config)) * sum(each[name] for name in config.controls)


def controls_now(config: StudyConfig, records: Sequence[TrialRecord]) -> int:
    """The same once the leaders' first seeds were begun: what they ask for, and what former leaders were given."""
    again = [record for record in records if record.role == "finalist"]
    mixes = list({record.plan.schedule: record for record in again}.values())[-config.leaders :]
    begun = {record.plan for record in records if record.role == "control"}
    if len(mixes) < config.leaders or not config.controls:
        return max(len(begun), most_controls(config))
    plan = again[-1].plan
    first = plan.seed - plan.seed % 1000  # a study's seed sets its trials' seeds apart by a thousand
    designed = {r.plan.schedule for r in records if r.role == "design"}
    free = next((r.plan.schedule for r in mixes if r.plan.schedule in designed), None)
    plans = control_plans(
        config.controls,
        lambda schedule, seed: dataclasses.replace(plan, schedule=schedule, seed=first + seed),
        [record.plan.schedule for record in mixes],
        free,
        control_seeds(config),
    )
    return len(begun | set(plans))


def stretched(schedule: Schedule, steps: int) -> Schedule:
    """The same stages in the same proportions over so many steps; itself where a stage would be left without any."""
    counts = largest_remainder([Fraction(stage.steps) for stage in schedule.stages], steps)
    if not all(counts):
        return schedule
    stages = [dataclasses.replace(stage, steps=n) for stage, n in zip(schedule.stages, counts, strict=True)]
    return Schedule(stages=tuple(stages))


def _at(plan_of: PlanOf, schedule: Schedule) -> Callable[[int], Plan]:
    return lambda seed: plan_of(schedule, seed)


def _lengthened(plan_of: PlanOf, examples: int) -> Callable[[int], Plan]:
    return lambda seed: dataclasses.replace(plan_of(Schedule.none(), seed), extra_examples=examples)
