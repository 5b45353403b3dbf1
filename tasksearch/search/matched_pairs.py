"""Matched pairs: the trainings that answer joint or sequential. All functions are pure.

*Effect of order.* Mixtures of at least two tasks are drawn from the search space as a random sampler draws them (every subset
equally likely, then shares and length evenly), by the study's seed alone: no result decides which, so they are an unbiased
sample of the space. Tasks, shares, examples, learning rate, batch and seed of a mixture's trainings are equal, and so is the
order of each task's own examples, which depends on (seed, task) alone. There are two designs.

Text that is kept up beside every stage (`SearchSpace.kept_up`) is so in all of them, at one share.

A *pair* is a joint training and one with the tasks one after the other in a random order. Both are trials of the search. Every
pair has a seed of its own: mixtures are the main source of variance, so that many on one seed each tell more than few on
several; and on one seed for all, luck that trainings of one kind share would pass for an effect. Where the space gives the arms
learning rates of their own, they differ in their rate as well: schedules are compared then, each at its own rate.

A *matched set*, trained on request after the search, holds a mixture trained jointly, annealed, and in two random orders, on
the same fresh seeds; the sequential ones once more with a learning-rate curve per stage.

*Effect of being allowed to choose.* Of the sampler's first n joint and first n sequential mixes of several tasks, n being as
many as both have, the best objective of each kind is trained again on the same fresh seeds, under the study's own learning-rate
policy. Designed trials are left out: they are two joint mixes and one sequential one that were not drawn.
"""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tasksearch.core.arm_rates import ARMS
from tasksearch.core.kept_up import keep_up
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import LRPolicy, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.signature import seed_from
from tasksearch.core.space import SearchSpace, annealed_twin, decode_apart, sequential_twin
from tasksearch.core.study import FOR_THE_QUESTION, LEAST_TWINS, StudyConfig, TrialRecord
from tasksearch.search.designed_trials import most_designs
from tasksearch.search.random_schedules import random_params

PlanOf = Callable[[Schedule, int], Plan]

ORDERS = 2
"""Sequential orders per mixture; two tasks have no more."""
PAIR_SEED = 100
"""Seed of the first pair; the k-th has `PAIR_SEED` + k. Finalists and controls have seeds from 1."""
ENOUGH_PAIRS = 30
"""Pairs by default at most: the examples, which all pairs share, limit what more of them tell."""
_Same = tuple[Mixture, int, float | None, tuple[str, ...]]
_DRAWS = 400  # after so many draws without a new mixture the space counts as exhausted


@dataclass(frozen=True, kw_only=True)
class MatchedTraining:
    """One way to train a mixture.

    Attributes:
        schedule: joint, annealed or sequential, with the same shares and steps as the others of its mixture.
        lr_policy: `phase` for all; `stage` for the sequential ones once more. With one stage both are the same.
    """

    schedule: Schedule
    lr_policy: LRPolicy


@dataclass(frozen=True, kw_only=True)
class DrawnPair:
    """A mixture of the space, drawn at random, in its two arms.

    Attributes:
        joint: all tasks at once.
        sequential: the tasks one after the other, in a random order. Each arm has the mixture's learning rate, or one of its
            own (`SearchSpace.arm_learning_rates`).
        seed: that both arms are trained on, and no other trial.
    """

    joint: Schedule
    sequential: Schedule
    seed: int


@lru_cache(maxsize=8)
def drawn_pairs(space: SearchSpace, seed: int, count: int) -> tuple[DrawnPair, ...]:
    """Return `count` pairs, or as many as a small space holds. The pairs of a smaller count are the first of a larger count."""
    sets = _distinct_sets(space, random.Random(seed_from("pairs", seed)), count)
    return tuple(
        DrawnPair(
            joint=_at_own_rate(space, seed, place, joint.schedule),
            sequential=_at_own_rate(space, seed, place, one_order.schedule),
            seed=PAIR_SEED + place,
        )
        for place, (joint, _, one_order, *_) in enumerate(sets)
    )


def _at_own_rate(space: SearchSpace, seed: int, place: int, arm: Schedule) -> Schedule:
    """Return an arm at its own rate, drawn apart from everything else where there are several."""
    rates = dict(space.arm_learning_rates).get(arm.kind)
    return arm.at_rate(random.Random(seed_from("arm rate", seed, place, arm.kind)).choice(rates)) if rates else arm


def default_pairs(space: SearchSpace, trials: int, baseline_seeds: int) -> int:
    """Return the number of pairs that a third of the trials make, at most `ENOUGH_PAIRS` and what baseline and designs leave.

    0 where the space lacks one of the two kinds or is a grid, or where too few pairs for an interval would come of it.
    """
    if space.grid or any(kind not in space.schedules for kind in ARMS):
        return 0
    free = trials - baseline_seeds - most_designs(space)
    pairs = min(ENOUGH_PAIRS, trials // 6, free // 2)
    return pairs if pairs >= LEAST_TWINS else 0


@lru_cache(maxsize=8)
def matched_sets(space: SearchSpace, seed: int, count: int) -> tuple[tuple[MatchedTraining, ...], ...]:
    """Return the matched trainings of `count` mixtures, or of as many as a small space holds.

    The sets of a smaller count are the first ones of a larger count.
    """
    return _distinct_sets(space, random.Random(seed_from("twins", seed)), count)


def _distinct_sets(space: SearchSpace, rng: random.Random, count: int) -> tuple[tuple[MatchedTraining, ...], ...]:
    """Draw the matched trainings of `count` different mixtures, or of as many as are found."""
    found, misses = dict[_Same, tuple[MatchedTraining, ...]](), 0
    while len(found) < count and misses < _DRAWS:
        drawn = _drawn(space, rng)
        if drawn is None or drawn[0] in found:
            misses += 1
            continue
        found[drawn[0]] = drawn[1]
    return tuple(found.values())


def _drawn(space: SearchSpace, rng: random.Random) -> tuple[_Same, tuple[MatchedTraining, ...]] | None:
    """Draw (what its trainings have in common, its trainings); None for a mix of one task.

    The number of draws from `rng` does not depend on the kinds of schedule in the space.
    """
    schedule, beside, share = decode_apart(space, random_params(space, rng))
    if schedule is None or len(schedule.tasks) < 2:
        return None
    orders = _orders(schedule.tasks, rng)
    # Shares that whole steps cannot represent are rounded once, for all trainings of the mixture alike.
    mixture, steps = sequential_twin(_mixture(schedule), sorted(schedule.tasks), schedule.steps).mixture(), schedule.steps
    if mixture is None or len(mixture.tasks) < len(schedule.tasks):
        return None
    chains = [sequential_twin(mixture, order, steps) for order in orders]
    variants = [Schedule.joint(mixture, steps), annealed_twin(mixture, orders[0], steps), *chains]
    variants, chains = ([keep_up(e.trained_as(schedule), beside, share) for e in some] for some in (variants, chains))
    policies: list[tuple[Schedule, LRPolicy]] = [(each, "phase") for each in variants] + [(each, "stage") for each in chains]
    return (_mixture(variants[0]), steps, schedule.learning_rate, schedule.methods), tuple(
        MatchedTraining(schedule=each, lr_policy=policy) for each, policy in policies
    )


def _mixture(schedule: Schedule) -> Mixture:
    mixture = schedule.mixture()
    assert mixture is not None, "the baseline is never drawn"
    return mixture


def _orders(tasks: Sequence[str], rng: random.Random) -> list[tuple[str, ...]]:
    """Draw two different orders."""
    first = tuple(rng.sample(list(tasks), len(tasks)))
    second = tuple(rng.sample(list(tasks), len(tasks)))
    while second == first:
        second = tuple(rng.sample(list(tasks), len(tasks)))
    return [first, second]


def matched_count(config: StudyConfig) -> int:
    """Return the number of matched trainings of the study."""
    return len(matched_sets(config.space.with_sizes(), config.seed, config.twins)) * per_mixture(config)


def per_mixture(config: StudyConfig) -> int:
    """Return the matched trainings of one mixture: joint, annealed, and its orders under two policies, on every seed."""
    return (2 + 2 * ORDERS) * config.twin_seeds


def matched_trials(config: StudyConfig) -> int:
    """Return the most trainings that the comparison needs: matched pairs, and the best of each kind on fresh seeds."""
    return matched_count(config) + (len(ARMS) * config.twin_seeds if config.twins else 0)


def matched_trials_now(config: StudyConfig, records: Sequence[TrialRecord]) -> int:
    """Return the trainings that the comparison needs once the search is over.

    A kind's best that is a finalist too is not trained twice.
    """
    if not config.twins:
        return sum(record.role in FOR_THE_QUESTION for record in records)
    bests = {best.record.plan.mix_signature for best in best_of_each(records).values()}
    run = Counter((r.role, r.plan.mix_signature) for r in records if r.role in ("finalist", "best-of"))
    former = sum(count for (role, mix), count in run.items() if role == "best-of" and mix not in bests)
    own = sum(max(run["best-of", mix], config.twin_seeds - run["finalist", mix]) for mix in bests)
    return matched_count(config) + former + own


def matched_plan(config: StudyConfig, plan_of: PlanOf, place: int) -> Plan:
    """Return the training at that place: by mixture, then by seed (fresh ones, from 1), then by variant."""
    sets = matched_sets(config.space, config.seed, config.twins)
    each = 2 + 2 * ORDERS
    which, rest = divmod(place, each * config.twin_seeds)
    seed, variant = divmod(rest, each)
    return _under(plan_of(sets[which][variant].schedule, 1 + seed), sets[which][variant].lr_policy)


def _under(plan: Plan, policy: LRPolicy) -> Plan:
    train = dataclasses.replace(plan.settings.intermediate, lr_policy=policy)
    return dataclasses.replace(plan, settings=dataclasses.replace(plan.settings, intermediate=train))


@dataclass(frozen=True, kw_only=True)
class BestOf:
    """The best of one kind among its first `tried` sampled mixes."""

    kind: str
    record: TrialRecord
    tried: int


def best_of_each(records: Sequence[TrialRecord]) -> dict[str, BestOf]:
    """Return kind → its best at equal numbers of mixes, ties to the lower number; empty where only one kind was sampled."""
    kinds: dict[str, list[TrialRecord]] = {kind: [] for kind in ARMS}
    for record in sorted(records, key=lambda r: r.number):
        schedule = record.plan.schedule
        judged = record.role == "search" and record.status == "done" and record.objective is not None
        if judged and len(schedule.tasks) > 1 and schedule.kind in kinds:
            kinds[schedule.kind].append(record)
    n = min(len(members) for members in kinds.values())
    if not n:
        return {}
    return {
        kind: BestOf(kind=kind, tried=n, record=max(members[:n], key=lambda r: (r.objective or 0.0, -r.number)))
        for kind, members in kinds.items()
    }


def best_of_plans(config: StudyConfig, plan_of: PlanOf, records: Sequence[TrialRecord]) -> Mapping[Plan, TrialRecord]:
    """Return plan on a fresh seed → the trial of the search that it repeats, in order; empty without matched pairs."""
    if not config.twins:
        return {}
    found = best_of_each(records).values()
    return {plan_of(best.record.plan.schedule, seed): best.record for best in found for seed in range(1, 1 + config.twin_seeds)}
