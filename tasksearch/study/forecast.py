"""`forecast_study`: estimate before it runs what a study will take: trainings, sharing of segments, hours, disk space."""

from __future__ import annotations

import dataclasses
import os
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasksearch.core.options import Resources
from tasksearch.core.sizes import size_of
from tasksearch.core.study import StudyConfig
from tasksearch.study.locations import store_address
from tasksearch.study.setup import OnPretrain, prepare

if TYPE_CHECKING:
    from tasksearch.core.study import TrialRecord
    from tasksearch.search.simulated_study import Bounds

_DRAWS = 3
KINDS = ("intermediate", "target", "scores")


@dataclass(frozen=True, kw_only=True)
class Count:
    """Number of trainings of one role: `least` and `most` are bounds whatever the results; `expected` is the draws' mean."""

    least: int
    expected: float
    most: int


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Estimate of what a study will take.

    The search's proposals depend on results that are not known yet. They are drawn at random several times, and means are
    given.

    Attributes:
        trials: role → number of trainings; exact for roles that do not depend on results.
        sharing: kind of segment → its `phases.planned_work.Sharing` in the first draw.
        factors: kind of segment → steps of all trials over distinct steps, one number per draw.
        hours, hours_without_reuse: hours of training and scoring on one slot; means of the draws.
        hours_least, hours_most: hours with reuse, if no race continues and if all races run to their end.
        wall_hours: hours with all slots, at best: if no proposal waits for a result.
        slots: number of concurrent trials.
        bytes: size of the store if it has no budget.
        budget: size that the store may take; None: no limit.
        steps, tokens: optimiser steps that are left to take, and the tokens that they read; means of the draws.
        files: files of the study and its store, if the store has no budget.
        speed: the `phases.calibrate.Speed` that the hours are based on.
        measured: whether `speed` was measured in this call, not in an earlier one.
        gpus: GPUs of one trial; 0: the hours are CPU-hours.
        half_widths: (fresh seeds of every finalist, half-width of a gain to expect as far as seeds cause it, in standard
            deviations of one training), for the first seeds and for as many as there can be.
    """

    trials: dict[str, Count]
    sharing: dict[str, Any]
    factors: dict[str, tuple[float, ...]]
    hours: float
    hours_least: float
    hours_most: float
    hours_without_reuse: float
    wall_hours: float
    slots: int
    bytes: int
    budget: int | None
    steps: int
    tokens: int
    files: int
    speed: Any
    measured: bool
    gpus: float
    half_widths: tuple[tuple[int, float], ...]


def forecast_study(
    config: StudyConfig,
    *,
    resources: Resources | None = None,
    folder: Path | None = None,
    again: bool = False,
    on_pretrain: OnPretrain | None = None,
) -> Forecast:
    """Draw the study's proposals, unfold them into segments, and time a few steps unless they were timed before.

    Args:
        config: the study's configuration.
        resources: as for `run_study`.
        folder: the study's folder; what its store already holds needs no training.
        again: measure the speed again.
        on_pretrain: as for `run_study`.

    Raises:
        As `run_study` for inputs that cannot be read.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    setup, where = prepare(config, on_pretrain), resources or Resources()
    config = dataclasses.replace(config, space=config.space.with_sizes(setup.sizes))
    from tasksearch.phases.calibrate import speed_of
    from tasksearch.phases.context import open_context
    from tasksearch.phases.planned_work import Sharing, planned_work, sharing
    from tasksearch.phases.run import PlanRun
    from tasksearch.search.precision import expected_half_width
    from tasksearch.search.simulated_study import bounds, simulated_study
    from tasksearch.store.eviction import default_budget

    context = open_context(setup.suite, setup.data, setup.model, None, skip_bad=config.skip_bad, encoder=setup.encoder)
    plan_of = setup.plan_of(config)
    cells = [(name, code) for name in config.targets for code in config.languages if code in setup.suite.card(name).languages]

    def draws(race: bool | None) -> list[list[TrialRecord]]:
        asked = (config, setup.sizes, plan_of, setup.suite.groups)
        return [simulated_study(*asked, draw, cells=cells, race=race) for draw in range(_DRAWS if race is None else 1)]

    studies = draws(None)
    speed, measured = speed_of(studies[0][0].plan, config.space.tasks, context, again=again)
    seen: dict[str, Any] = {}

    def work(record: TrialRecord) -> Any:
        if record.plan.signature not in seen:
            seen[record.plan.signature] = planned_work(PlanRun(record.plan, context))
        return seen[record.plan.signature]

    works, (fewest,), (largest,) = ([[work(r) for r in study] for study in draws(race)] for race in (None, False, True))
    stored = _there(_stored(where.store, folder), [plan for plans in (*works, fewest, largest) for plan in plans])
    found: list[dict[str, Sharing]] = [{kind: sharing(plans, kind, stored) for kind in KINDS} for plans in works]

    def once(plans: Any) -> list[Any]:
        return list({w.signature: w for plan in plans for w in plan if w.signature not in stored}.values())

    def hours(parts: Any) -> float:
        return float(sum(map(speed.seconds, parts))) / 3600

    slots = where.concurrency or max(1, min(int((os.cpu_count() or 1) / where.cpus_per_trial), config.lag))
    return Forecast(
        trials=_counts(studies, bounds(config)),
        sharing=found[0],
        factors={kind: tuple(one[kind].factor for one in found) for kind in KINDS[:2]},
        hours=statistics.fmean(hours(once(plans)) for plans in works),
        hours_least=hours(once(fewest)),
        hours_most=hours(once(largest)),
        hours_without_reuse=statistics.fmean(hours(w for plan in plans for w in plan) for plans in works),
        wall_hours=_makespan(works[0], stored, speed, slots) / 3600,
        slots=slots,
        bytes=round(statistics.fmean(sum(speed.bytes(w, keep_targets=where.keep_targets) for w in once(p)) for p in works)),
        budget=size_of(where.store_budget) if where.store_budget else default_budget(store_of_plan(where.store, folder)),
        steps=round(statistics.fmean(sum(w.steps for w in once(plans)) for plans in works)),
        tokens=round(statistics.fmean(sum(w.tokens for w in once(plans)) for plans in works)),
        files=round(statistics.fmean(_files(once(plans), len(plans), keep_targets=where.keep_targets) for plans in works)),
        speed=speed,
        measured=measured,
        gpus=where.gpus_per_trial or 0.0,
        half_widths=tuple(
            (n, expected_half_width(config, n)) for n in sorted({config.leader_seeds, config.seed_limit}) if n > 1
        ),
    )


def _files(distinct: Sequence[Any], trials: int, *, keep_targets: bool) -> int:
    """Return how many files a study writes.

    A segment is a manifest, model, heads, a count of its reuses, and moments where they carry; a trial is its record, outcomes
    and score tables.
    """
    segments = sum(4 + int(work.carries) for work in distinct if work.kind == "intermediate")
    kept = 3 * sum(work.kind == "target" for work in distinct) if keep_targets else 0
    return segments + kept + 3 * trials


def store_of_plan(store: str | None, folder: Path | None) -> str:
    """Return where the study's segments will stand: the named store, or the one in its folder."""
    return store or str((folder or Path()) / "store")


def _counts(studies: Sequence[Sequence[TrialRecord]], limits: dict[str, Bounds]) -> dict[str, Count]:
    """Return role → number of trainings over the draws, with the given limits for roles that depend on results."""
    drawn = [Counter(str(record.role) for record in study) for study in studies]
    found = {}
    for role in dict.fromkeys([*(role for one in drawn for role in one), *limits]):
        counts = [one[role] for one in drawn]
        least, most = (limits[role].least, limits[role].most) if role in limits else (min(counts), max(counts))
        found[role] = Count(least=min(least, *counts), expected=round(statistics.fmean(counts), 1), most=max(most, *counts))
    return found


def _stored(store: str | None, folder: Path | None) -> frozenset[str]:
    """Return the segments that exist, in the named store or else in that of the study in the folder."""
    from tasksearch.store.remote import open_store
    from tasksearch.store.score_files import stored_signatures

    if store is None and folder is not None and (folder / "study.json").exists():
        store = store_address(folder)
        store = store if "://" in store or Path(store).is_dir() else None
    return stored_signatures(open_store(store)) if store else frozenset()


def _there(stored: frozenset[str], plans: Any) -> frozenset[str]:
    """Return the segments that need no training.

    A target phase, whose weights are seldom kept, needs none if all of its score tables are there.
    """
    lacking = {
        (plan_number, work.target)
        for plan_number, plan in enumerate(plans)
        for work in plan
        if work.kind == "scores" and work.signature not in stored
    }
    again = {
        work.signature
        for plan_number, plan in enumerate(plans)
        for work in plan
        if work.kind == "target" and (plan_number, work.target) in lacking
    }
    return stored - again


def _makespan(plans: Any, stored: frozenset[str], speed: Any, slots: int) -> float:
    """Return the seconds until all plans are trained, simulated with the driver's own scheduling (`engine.simulation`)."""
    from tasksearch.core.required_segments import RequiredSegment
    from tasksearch.engine.simulation import SimulatedTrial, simulate_run

    journeys = []
    for plan in plans:
        seconds = [(work, 0.0 if work.signature in stored else speed.seconds(work)) for work in plan]
        chain = tuple(RequiredSegment(work.signature, spent) for work, spent in seconds if work.kind == "intermediate")
        leaves: dict[str, float] = {}
        trained: set[str] = set()
        for work, spent in seconds:
            if work.kind != "intermediate" and work.signature not in trained:  # a training may serve several targets
                trained.add(work.signature)
                leaves[work.target] = leaves.get(work.target, 0.0) + spent
        ends = {work.target: work.signature for work, _ in reversed(seconds) if work.kind != "intermediate"}
        journeys.append(SimulatedTrial(chain, tuple(RequiredSegment(ends[target], spent) for target, spent in leaves.items())))
    return simulate_run(journeys, slots, slots).makespan
