"""Proposals: trial n is a pure function of the study's settings, of n, and of trials 0 … n-lag.

So the same study proposes the same trials at any concurrency up to the lag and after any crash. Of the trials n-lag+1 … n-1
only the parameters are used, which are themselves pure; their results are not, even where they are known. Random proposals use
no results and wait for none.

Trials are numbered in this order: the baseline's seeds, the designed trials (or the mixes of another encoder's study, in the
order of their ranks there), the matched pairs, the sampler's proposals; when all those are finished the baseline with whole
target phases if the search's were shortened; the finalists on fresh seeds, then the controls, then further seeds of finalists
whose race is open, then the baseline on the fresh seeds that it lacks, then replacements of collapsed trainings; then, where
the study has them, the matched sets. A study that is given more trials later continues with the sampler after all these.
"""

from __future__ import annotations

import dataclasses
import operator
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from tasksearch.core.errors import BadInput
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.signature import seed_from
from tasksearch.core.space import SearchSpace, decode, encode, unused
from tasksearch.core.study import BASELINES, Role, StudyConfig, TrialRecord
from tasksearch.search.auto import auto_suggestions
from tasksearch.search.collapse import FIRST_SEED, FRESH, collapsed, is_rerun, to_run_again
from tasksearch.search.common_seeds import next_common
from tasksearch.search.controls import control_plans, control_seeds
from tasksearch.search.designed_trials import Design, designed_trials
from tasksearch.search.fidelity import PlanOf, searching
from tasksearch.search.finalists import Finalist, choose_finalists
from tasksearch.search.matched_pairs import best_of_plans, drawn_pairs, matched_count, matched_plan
from tasksearch.search.precision import affordable, half_width, may_run_again
from tasksearch.search.racing import goes_on, race_state
from tasksearch.search.random_schedules import every_schedule, random_params
from tasksearch.search.search_so_far import SearchSoFar, search_so_far
from tasksearch.search.surrogate.alike_columns import Distances
from tasksearch.search.tpe import tpe_suggestions

__all__ = ["Finished", "PlanOf", "Proposal", "Wait", "propose"]

SEARCH_SEED = 0
"""Designed trials and the sampler's proposals train on this seed; finalists never do."""

_ASKS = 6  # after so many proposals that were seen before, a random mix is drawn instead
_DRAWS = 200
_READY: list[TrialRecord] = []
"""Records from the first on that `_first_unready` found ready, as far as the last look went."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A trial to run."""

    number: int
    role: Role
    plan: Plan
    params: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Wait:
    """The next trial is not determined yet: trial `number` is not finished, or has no objective.

    Attributes:
        search_goes_on: whether only that trial's result is missing; else all trials so far, or a round of them, must have
            ended.
    """

    number: int
    search_goes_on: bool = False


@dataclass(frozen=True, kw_only=True)
class Finished:
    """Nothing is left to run."""


def propose(
    config: StudyConfig,
    sizes: Mapping[str, int],
    plan_of: PlanOf,
    n: int,
    records: Sequence[TrialRecord],
    groups: Mapping[str, str] | None = None,
    *,
    race: bool | None = None,
    distances: Distances | None = None,
) -> Proposal | Wait | Finished:
    """Propose trial n, given the records of trials 0 … n-1 (later ones are ignored).

    Args:
        config: the study's settings.
        sizes: intermediate task → number of training examples.
        plan_of: (schedule, seed) → plan.
        n: at least 0.
        records: in the order of their numbers, without gaps.
        groups: target → kind of target, by which leaders weigh targets; None: all alike.
        race: of a forecast: no race goes on, or all do; None: the results say which.
        distances: between languages, for the sampler `auto`; None: all are as far apart.
    """
    before = list(records[:n])
    assert len(before) == n, "records have gaps"
    search = search_so_far(config, before)
    if len(search.records) < config.trials:
        found = _searched(config, sizes, plan_of, n, search, groups or {}, distances)
        if found is not None:
            return found
    return _finalist(config, plan_of, before, search.records, groups, race)


def _searched(
    config: StudyConfig,
    sizes: Mapping[str, int],
    plan_of: PlanOf,
    n: int,
    search: SearchSoFar,
    groups: Mapping[str, str],
    distances: Distances | None,
) -> Proposal | Wait | None:
    """Propose a baseline seed, a designed trial or a sampled one; None where the space has no new mix."""
    place, plan_of = len(search.records), searching(config, plan_of)
    if place < config.baseline_seeds:
        role = config.search_baseline
        return Proposal(number=n, role=role, plan=plan_of(Schedule.none(), place), params=unused(config.space))
    if config.transfer is not None:
        mix = next((mix for mix in config.transfer.mixes if mix.schedule not in search.begun), None)
        if mix is not None:
            return Proposal(number=n, role=mix.role, plan=plan_of(mix.schedule, SEARCH_SEED), params=mix.params)
    elif (design := _design(config, sizes, plan_of, search)) is not None:
        return Proposal(number=n, role="design", plan=plan_of(design.schedule, SEARCH_SEED), params=design.params)
    pair = _pair(config, plan_of, search)
    if pair is not None:
        return Proposal(number=n, role="pair", plan=pair, params=_told(config, pair.schedule))
    if config.space.grid:
        return None
    told = search.records[: max(0, place - config.lag + 1)]
    unready = _first_unready(told)
    if unready is not None and config.sampler != "random" and _has_baseline(config, told):
        return Wait(number=unready, search_goes_on=True)
    params = _draw(config, place, told if _has_baseline(config, told) else (), search, groups, distances)
    if params is None:
        return None
    schedule = decode(config.space, params)
    assert schedule is not None
    return Proposal(number=n, role="search", plan=plan_of(schedule, SEARCH_SEED), params=tuple(params.items()))


def _design(config: StudyConfig, sizes: Mapping[str, int], plan_of: PlanOf, search: SearchSoFar) -> Design | None:
    """Return the next designed trial; None where all were begun."""
    wanted: dict[Schedule, Design] = {}
    for one in _designs(config.space, tuple(sizes.items())):
        wanted.setdefault(plan_of(one.schedule, SEARCH_SEED).schedule, one)
    # begun as a design, or by the sampler of a smaller space that had it as none
    return next((one for schedule, one in wanted.items() if schedule not in search.begun), None)


@lru_cache(maxsize=8)
def _designs(space: SearchSpace, sizes: tuple[tuple[str, int], ...]) -> tuple[Design, ...]:
    return designed_trials(space, dict(sizes))


def _pair(config: StudyConfig, plan_of: PlanOf, search: SearchSoFar) -> Plan | None:
    """Return the next arm of a matched pair, the joint one first; None where all were begun.

    Arms are counted, so that a space that was widened since gets pairs of its own only if it is to have more of them.
    """
    place = search.pairs
    pairs = drawn_pairs(config.space, config.seed, config.pairs)
    if place >= 2 * len(pairs):
        return None
    pair = pairs[place // 2]
    return plan_of(pair.sequential if place % 2 else pair.joint, pair.seed)


def _draw(
    config: StudyConfig,
    place: int,
    told: Sequence[TrialRecord],
    search: SearchSoFar,
    groups: Mapping[str, str],
    distances: Distances | None,
) -> dict[str, Any] | None:
    """Draw parameters of a mix that no earlier trial has; None where the space seems to have none."""
    space, seen = config.space, search.begun

    def new(params: Mapping[str, Any]) -> bool:
        schedule = decode(space, params)
        return schedule is not None and schedule not in seen

    found = next(filter(new, _suggestions(config, place, told, search.records[len(told) :], groups, distances)), None)
    if found is not None:
        return found
    rng = random.Random(seed_from("random", config.seed, place))
    drawn = next((params for _ in range(_DRAWS) if new(params := random_params(space, rng))), None)
    if drawn is not None:
        return drawn
    left = [params for schedule, params in every_schedule(space).items() if schedule not in seen]
    return rng.choice(left) if left else None


def _suggestions(
    config: StudyConfig,
    place: int,
    told: Sequence[TrialRecord],
    pending: Sequence[TrialRecord],
    groups: Mapping[str, str],
    distances: Distances | None,
) -> Iterator[dict[str, Any]]:
    """Return what the study's sampler proposes, the first that is new being meant; nothing where it is `random`."""
    if config.sampler == "random":
        return iter(())
    if config.sampler == "auto":
        seed = seed_from("auto", config.seed, place)
        return auto_suggestions(config, told, pending, groups, seed=seed, distances=distances)
    seeds = [seed_from("tpe", config.seed, place, attempt) for attempt in range(_ASKS)]
    return tpe_suggestions(config.space, told, pending, seeds=seeds, sampler=config.sampler)


def _finalist(
    config: StudyConfig,
    plan_of: PlanOf,
    before: Sequence[TrialRecord],
    searched: Sequence[TrialRecord],
    groups: Mapping[str, str] | None,
    race: bool | None,
) -> Proposal | Wait | Finished:
    """Propose what follows the search, in this order.

    The finalists' first seeds, controls, seeds of the open races round by round, the baseline on those seeds that it lacks,
    matched pairs, further seeds of the baseline, and the untrained reference.
    """
    n = len(before)
    unready = _first_unready(searched)
    if unready is not None:
        return Wait(number=unready)
    if (whole := _whole_baseline(config, plan_of, before)) is not None:
        return Proposal(number=n, role="baseline", plan=whole, params=unused(config.space))
    run = {record.plan: record for record in before if record.role == "finalist"}
    found = choose_finalists(config, searched, groups)
    first = _first(config, plan_of, found, run)
    if first is None and (control := _control(config, plan_of, found, before)) is not None:
        return Proposal(number=n, role="control", plan=control, params=unused(config.space))
    controls = sum(record.role == "control" for record in before)
    seeds = [record for record in before if record.role == "baseline"][: config.baseline_seeds]
    wanted = first or _race(config, plan_of, found, run, seeds, race, controls)
    if isinstance(wanted, Wait):
        return wanted
    if wanted is not None:
        finalist, plan = wanted
        return Proposal(number=n, role="finalist", plan=plan, params=finalist.record.params)
    common = next_common(config, plan_of, before)
    if common is not None:
        return Proposal(number=n, role="baseline", plan=common, params=unused(config.space))
    again = _run_again(config, plan_of, before)
    if again is not None:
        return again
    asked = _for_the_question(config, plan_of, before)
    if asked is not None:
        return asked
    more = _more_baseline(config, plan_of, before)
    if more is not None:
        return Proposal(number=n, role="baseline", plan=more, params=unused(config.space))
    if config.untrained and all(record.role != "untrained" for record in before):
        bare = dataclasses.replace(plan_of(Schedule.none(), 0), start="fresh")
        return Proposal(number=n, role="untrained", plan=bare, params=unused(config.space))
    return Finished()


def _run_again(config: StudyConfig, plan_of: PlanOf, before: Sequence[TrialRecord]) -> Proposal | Wait | None:
    """Replace the next collapsed training by one on a new seed, once all trainings on fresh seeds have ended."""
    if config.leaders < 1:
        return None
    fresh = [record for record in before if record.role in FRESH]
    late = next((record.number for record in fresh if not _ready(record)), None)
    if late is not None:
        return Wait(number=late)
    found = to_run_again(fresh, config.guesses) if may_run_again(config, before) else None
    if found is None:
        return None
    base = plan_of(Schedule.none(), 0).seed
    seed = FIRST_SEED + sum(map(is_rerun, fresh))
    return Proposal(number=len(before), role=found.role, plan=found.plan.with_seed(base + seed), params=found.params)


def _more_baseline(config: StudyConfig, plan_of: PlanOf, before: Sequence[TrialRecord]) -> Plan | None:
    """Return the next of the baseline's further seeds; None where all were begun."""
    run = {record.plan for record in before if record.role == "baseline"}
    seeds = range(config.baseline_seeds, config.baseline_seeds + config.more_baseline)
    return next((plan for seed in seeds if (plan := plan_of(Schedule.none(), seed)) not in run), None)


def _for_the_question(config: StudyConfig, plan_of: PlanOf, before: Sequence[TrialRecord]) -> Proposal | None:
    """Propose the next matched training; then the best of each kind of schedule, unless a finalist repeats it."""
    n, place = len(before), sum(record.role == "twin" for record in before)
    if place < matched_count(config):
        plan = matched_plan(config, plan_of, place)
        return Proposal(number=n, role="twin", plan=plan, params=_told(config, plan.schedule))
    run = {record.plan for record in before if record.role in ("finalist", "best-of")}
    for plan, record in best_of_plans(config, plan_of, before).items():
        if plan not in run:
            return Proposal(number=n, role="best-of", plan=plan, params=record.params)
    return None


def _whole_baseline(config: StudyConfig, plan_of: PlanOf, before: Sequence[TrialRecord]) -> Plan | None:
    """Return the next seed of the whole baseline of a search whose target phases were shortened; None where all were begun."""
    begun = sum(record.role == "baseline" for record in before)
    return plan_of(Schedule.none(), begun) if begun < config.whole_baseline else None


def _first(
    config: StudyConfig, plan_of: PlanOf, found: Sequence[Finalist], run: Mapping[Plan, TrialRecord]
) -> tuple[Finalist, Plan] | None:
    """Return the next of the finalists' first seeds; None where all were begun."""
    wanted = ((finalist, plan_of(finalist.record.plan.schedule, seed)) for finalist in found for seed in _first_seeds(config))
    return next(((finalist, plan) for finalist, plan in wanted if plan not in run), None)


def _control(config: StudyConfig, plan_of: PlanOf, found: Sequence[Finalist], before: Sequence[TrialRecord]) -> Plan | None:
    """Return the next control; None where all were begun."""
    begun = {record.plan for record in before if record.role == "control"}
    mixes = [finalist.record.plan.schedule for finalist in found]
    free = next((finalist.record.plan.schedule for finalist in found if finalist.record.role == "design"), None)
    plans = control_plans(config.every_control, plan_of, mixes, free, control_seeds(config))
    return next((plan for plan in plans if plan not in begun), None)


def _first_seeds(config: StudyConfig) -> range:
    return range(SEARCH_SEED + 1, SEARCH_SEED + 1 + config.leader_seeds)


def _race(
    config: StudyConfig,
    plan_of: PlanOf,
    found: Sequence[Finalist],
    run: Mapping[Plan, TrialRecord],
    baseline: Sequence[TrialRecord],
    race: bool | None,
    controls: int,
) -> tuple[Finalist, Plan] | Wait | None:
    """The next finalist and plan; Wait for the rounds before; None where every race is over."""

    def plan(finalist: Finalist, seed: int) -> Plan:
        return plan_of(finalist.record.plan.schedule, SEARCH_SEED + seed)

    baseline = [record for record in baseline if record.status == "done"]
    racing = list(range(len(found)))
    for seed in range(config.leader_seeds + 1, config.seed_limit + 1):
        told = {i: [run[p] for s in range(1, seed) if (p := plan(finalist, s)) in run] for i, finalist in enumerate(found)}
        late = next((record.number for records in told.values() for record in records if not _ready(record)), None)
        if late is not None:
            return Wait(number=late)
        racing = [i for i in racing if _open(config, found[i], told, i, baseline, race)][
            : affordable(config, told, seed, controls)
        ]
        for i in racing:
            if plan(found[i], seed) not in run:
                return found[i], plan(found[i], seed)
    return None


def _open(
    config: StudyConfig,
    finalist: Finalist,
    told: Mapping[int, Sequence[TrialRecord]],
    place: int,
    baseline: Sequence[TrialRecord],
    race: bool | None,
) -> bool:
    """Return whether the next seed is likely to decide that finalist's rows. Without rows three seeds are enough."""
    if config.leader_seeds < 2:
        return False
    if race is not None:
        return race
    if finalist.rows is None:
        return len(told[place]) < 3
    lost = collapsed([*baseline, *(record for records in told.values() for record in records)], config.guesses)
    runs = {i: [r for r in records if r.status == "done" and r.number not in lost] for i, records in told.items()}
    if len(runs[place]) < 2 and any(record.number in lost for record in told[place]):
        return True  # a collapsed seed says nothing: the next one takes its place
    baseline = [record for record in baseline if record.number not in lost]
    if config.half_width is not None:
        return bool(finalist.rows) and half_width(runs, place, baseline, finalist.rows[0]) > config.half_width
    looks = config.seed_limit - config.leader_seeds + 1
    rows = [race_state(runs, place, baseline, row, looks=looks, most=config.seed_limit) for row in finalist.rows]
    return goes_on(rows) or (config.by_precision and any(row.chance > 0 for row in rows))


def _told(config: StudyConfig, schedule: Schedule) -> tuple[tuple[str, Any], ...]:
    """Return a matched training's parameters, by which samplers and Optuna know it; empty where the space cannot express it.

    A rate of its own is no parameter where the search has none.
    """
    known = schedule if config.space.searched_rates else schedule.at_rate(None)
    try:
        return tuple(encode(known, config.space).items())
    except BadInput:
        return ()


def _first_unready(records: Sequence[TrialRecord]) -> int | None:
    """Return the number of the first trial whose result is not known yet; None if there is none.

    Records that were looked at before and were ready are passed over: a driver looks at every turn of its loop.
    """
    same = min(len(_READY), len(records))
    if not all(map(operator.is_, records, _READY)):
        same = next(i for i in range(same) if records[i] is not _READY[i])
    del _READY[same:]
    for record in records[same:]:
        if not _ready(record):
            return record.number
        _READY.append(record)
    return None


def _ready(record: TrialRecord) -> bool:
    """Return whether the trial's result is known: it has ended, and has an objective if it is done."""
    return record.status in ("stopped", "failed") or (record.status == "done" and record.objective is not None)


def _has_baseline(config: StudyConfig, told: Sequence[TrialRecord]) -> bool:
    """Return whether every seed of the baseline is among them, without which there is no objective."""
    return sum(1 for _ in islice((r for r in told if r.role in BASELINES), config.baseline_seeds)) >= config.baseline_seeds
