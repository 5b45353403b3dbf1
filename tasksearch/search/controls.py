"""Controls of the baseline comparison: trained beside the finalists, on their fresh seeds, and never chosen.

`length`: the free baseline among the finalists (best single task, uniform joint, …), its mixture at the other finalists'
lengths and learning rates. Designed trials have the first of the space; a longer mix should beat the free baseline at its own
length and rate too.
`exposure`: no intermediate phase, every target phase longer by as many examples as a finalist's intermediate phase shows. A mix
that holds a target's own training data may win by showing more of it, and any mix by more steps; this control has both. `soup`:
the average of the encoders that the finalists' intermediate phases end with, each of the same seed, then the target phases as
usual (uniform soup: Wortsman et al., ICML 2022). It is compared with the pick and is not a mix. `average`: no intermediate
phase, and target phases that end in the mean of their last snapshots, which costs no training (Schmidt et al., ACL 2023).
`seeds`: the average of the encoders that one mix, the best finalist, ends with on the fresh seeds, then the target phases.
`models`: the average of whole target models over the fresh seeds, whose heads start alike, without an intermediate phase and of
the best finalist (Schmidt et al., ACL 2023). Its seeds draw the heads: the orders of data that are averaged are the same ones.
`few-shot`: the target phases without an intermediate phase, and those of the best finalist, each continued on a few labelled
examples of a language. It costs labels, so nothing else is compared with it: it is no baseline that the pick has to beat.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from tasksearch.core.plan import FEW_SHOT_DRAWS, PhaseSettings, Plan, TrainSettings
from tasksearch.core.schedule import Schedule
from tasksearch.core.shares import largest_remainder
from tasksearch.core.study import FEW_SHOT, StudyConfig, TrialRecord

AVERAGED = 5
"""Snapshots that the control `average` takes the mean of, a tenth of the phase apart."""
_OWN_END = ("average_last", "average_every", "early_stopping", "patience")
LEAST_SEEDS = 3
"""Controls do not race: they get three seeds from the beginning."""
PlanOf = Callable[[Schedule, int], Plan]


def control_plans(
    names: Sequence[str], plan_of: PlanOf, finalists: Iterable[Schedule], free: Schedule | None, seeds: Sequence[int]
) -> tuple[Plan, ...]:
    """Return the controls in the order they run, all seeds of one before the next.

    Args:
        names: some of `core.study.CONTROLS`, and `FEW_SHOT`.
        plan_of: (schedule, seed) → plan.
        finalists: schedules of the finalists, the best first. Those of one length share an exposure control; a soup needs two.
        free: the free baseline among them.
        seeds: fresh seeds. Few-shot controls take as many as there are draws of examples, so that none counts twice.
    """
    mixes = tuple(dict.fromkeys(finalists))
    makers: list[Callable[[int], Plan]] = []
    if "length" in names and free is not None:
        others = {alike(free, mix) for mix in mixes} - set(mixes)
        makers += [
            _at(plan_of, one) for one in sorted(others, key=lambda one: (one.steps, one.learning_rate or 0.0, one.methods))
        ]
    if "exposure" in names:
        lengths = sorted({plan_of(mix, 0).intermediate_examples for mix in mixes})
        makers += [_lengthened(plan_of, examples) for examples in lengths]
    if "soup" in names and len(mixes) > 1 and len({mix.methods for mix in mixes}) == 1:  # they hold for its target phases too
        makers.append(lambda seed: dataclasses.replace(plan_of(Schedule.none(), seed), soup=mixes))
    if "average" in names:
        makers.append(_averaged(plan_of))
    if "seeds" in names and mixes and len(seeds) > 1:
        makers.append(_over_seeds(plan_of, mixes[0], seeds))
    if "models" in names and len(seeds) > 1:
        makers += [_of_models(plan_of, mix, seeds) for mix in (Schedule.none(), *mixes[:1])]
    few_shot = [_few_shot(plan_of, mix) for mix in (Schedule.none(), *mixes[:1])] if FEW_SHOT in names else []
    found = [make(seed) for make in makers for seed in seeds]
    return tuple(found + [make(seed) for make in few_shot for seed in seeds[:FEW_SHOT_DRAWS]])


def control_seeds(config: StudyConfig) -> range:
    """Return the controls' fresh seeds, from 1 as for finalists: a finalist's first seeds, or three if it may get as many."""
    return range(1, 1 + max(config.leader_seeds, min(LEAST_SEEDS, config.most_seeds)))


def most_controls(config: StudyConfig) -> int:
    """Return the most trainings of controls that a study with its final finalists has.

    Which finalists there are is not known before the search: this counts as if they differed in all that a control follows. The
    finalists of a grid may all have lengths of their own, since its plans may count epochs.
    """
    space, leaders = config.space, config.leaders
    lengths = leaders if space.grid else min(leaders, len(space.steps) or 1)
    # `length` repeats the free baseline as every other finalist is trained: at its length, learning rate and methods
    rates = len(space.searched_rates) or 1
    rates += len({rate for _, own in space.arm_learning_rates for rate in own} - set(space.searched_rates))
    ways = (len(space.steps) or 1) * rates * (len(space.methods) or 1)
    alikes = leaders if space.grid else min(leaders, ways)
    each = {"length": alikes - 1, "exposure": lengths, "soup": int(leaders > 1), **always(config)}
    return trainings_of(config, each)


def trainings_of(config: StudyConfig, each: Mapping[str, int]) -> int:
    """Return the trainings of the study's controls, given control → number of its plans but for their seeds."""
    seeds = len(control_seeds(config))
    return sum(each[name] * (min(seeds, FEW_SHOT_DRAWS) if name == FEW_SHOT else seeds) for name in config.every_control)


def always(config: StudyConfig) -> dict[str, int]:
    """Return the number of plans of the controls whose number depends on no result."""
    several = int(len(control_seeds(config)) > 1)
    return {"average": 1, "seeds": several, "models": 2 * several, FEW_SHOT: 2}


def averaged_targets(settings: PhaseSettings) -> PhaseSettings:
    """Return the settings of the control `average`: every target phase ends in the mean of its last snapshots."""
    own = tuple(
        (target, tuple((name, value) for name, value in changes if name not in _OWN_END))
        for target, changes in settings.target_overrides
    )
    train = dataclasses.replace(
        settings.target, average_last=AVERAGED, average_every=TrainSettings.average_every, early_stopping=None
    )
    return dataclasses.replace(settings, target=train, target_overrides=own)


def controls_now(config: StudyConfig, records: Sequence[TrialRecord]) -> int:
    """Return the trainings of controls once the finalists' first seeds were begun, those of former finalists included."""
    again = [record for record in records if record.role == "finalist"]
    mixes = list({record.plan.schedule: record for record in again}.values())[-config.leaders :]
    begun = {record.plan for record in records if record.role == "control"}
    if len(mixes) < config.leaders or not config.every_control:
        return max(len(begun), most_controls(config))
    plan = again[-1].plan
    first = plan.seed - plan.seed % 1000  # a study's seed sets its trials' seeds apart by a thousand
    designed = {r.plan.schedule for r in records if r.role == "design"}
    free = next((r.plan.schedule for r in mixes if r.plan.schedule in designed), None)
    plans = control_plans(
        config.every_control,
        lambda schedule, seed: dataclasses.replace(plan, schedule=schedule, seed=first + seed),
        [record.plan.schedule for record in mixes],
        free,
        control_seeds(config),
    )
    return len(begun | set(plans))


def stretched(schedule: Schedule, steps: int) -> Schedule:
    """Scale the stages in proportion to a total of `steps`; unchanged where a stage would be left without a step."""
    counts = largest_remainder([Fraction(stage.steps) for stage in schedule.stages], steps)
    if not all(counts):
        return schedule
    stages = [dataclasses.replace(stage, steps=n) for stage, n in zip(schedule.stages, counts, strict=True)]
    return Schedule(stages=tuple(stages))


def alike(schedule: Schedule, other: Schedule) -> Schedule:
    """Return the schedule at the length, learning rate and methods of another."""
    return stretched(schedule, other.steps).trained_as(other)


def _at(plan_of: PlanOf, schedule: Schedule) -> Callable[[int], Plan]:
    return lambda seed: plan_of(schedule, seed)


def _averaged(plan_of: PlanOf) -> Callable[[int], Plan]:
    def make(seed: int) -> Plan:
        plan = plan_of(Schedule.none(), seed)
        return dataclasses.replace(plan, settings=averaged_targets(plan.settings))

    return make


def _over_seeds(plan_of: PlanOf, mix: Schedule, seeds: Sequence[int]) -> Callable[[int], Plan]:
    members = tuple(plan_of(mix, seed).seed for seed in seeds)
    return lambda seed: dataclasses.replace(plan_of(Schedule.none(), seed), soup=(mix,), soup_seeds=members)


def _of_models(plan_of: PlanOf, mix: Schedule, seeds: Sequence[int]) -> Callable[[int], Plan]:
    members = tuple(plan_of(mix, seed).seed for seed in seeds)
    return lambda seed: dataclasses.replace(plan_of(mix, seed), model_seeds=members)


def _few_shot(plan_of: PlanOf, mix: Schedule) -> Callable[[int], Plan]:
    return lambda seed: dataclasses.replace(plan_of(mix, seed), few_shot=True)


def _lengthened(plan_of: PlanOf, examples: int) -> Callable[[int], Plan]:
    return lambda seed: dataclasses.replace(plan_of(Schedule.none(), seed), extra_examples=examples)
