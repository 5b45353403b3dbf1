"""`outlook`: what a study will take, before anything of it runs: segments, sharing, hours, disk."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tasksearch.core.study import StudyConfig
from tasksearch.study.setup import OnPretrain, prepare

_DRAWS = 3
KINDS = ("intermediate", "target", "scores")


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """A study, foreseen. The search's proposals rest on results that nobody has: they are drawn, and means of the draws told.

    Attributes:
        trials: role → trainings.
        sharing: kind of segment → its `phases.planned_work.Sharing` in the first draw.
        factors: kind → steps asked over distinct steps, in every draw.
        hours, hours_without_reuse: of work on one slot: training and scoring.
        wall_hours: on so many slots, at best: nothing waits for a result.
        slots: trials at once.
        bytes: what the store will hold without a budget.
        speed: what the hours rest on, a `phases.calibrate.Speed`; `measured`: now, not in an earlier call.
        gpus: of one trial; 0: hours are CPU-hours.
    """

    trials: dict[str, int]
    sharing: dict[str, Any]
    factors: dict[str, tuple[float, ...]]
    hours: float
    hours_without_reuse: float
    wall_hours: float
    slots: int
    bytes: int
    speed: Any
    measured: bool
    gpus: float


def forecast_study(
    config: StudyConfig,
    *,
    store: str | None = None,
    slots: int | None = None,
    gpus: float = 0.0,
    keep_targets: bool = False,
    again: bool = False,
    on_pretrain: OnPretrain | None = None,
) -> Forecast:
    """Draws the study's proposals, unfolds them into segments, and times a few steps where this was not done before.

    Args:
        config: as `run_study` takes it.
        store: whose segments are there already; None: none are.
        slots: trials at once; None: as many as there are cores.
        gpus: of one trial.
        keep_targets: as the run will have it.
        again: measure the speed anew.

    Raises:
        As `run_study` does for what cannot be read.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    setup = prepare(config, on_pretrain)
    from tasksearch.phases.calibrate import speed_of
    from tasksearch.phases.context import open_context
    from tasksearch.phases.planned_work import Sharing, planned_work, sharing
    from tasksearch.phases.run import PlanRun
    from tasksearch.search.simulated_study import simulated_study

    context = open_context(setup.suite, setup.data, setup.model, None, skip_bad=config.skip_bad)
    plan_of = setup.plan_of(config)
    studies = [simulated_study(config, setup.sizes, plan_of, setup.suite.groups, draw) for draw in range(_DRAWS)]
    speed, measured = speed_of(studies[0][0].plan, config.space.tasks, context, again=again)
    works = [[planned_work(PlanRun(record.plan, context)) for record in study] for study in studies]
    stored = _there(_stored(store), [plan for plans in works for plan in plans])
    found: list[dict[str, Sharing]] = [{kind: sharing(plans, kind, stored) for kind in KINDS} for plans in works]
    once = [{w.signature: w for plan in plans for w in plan if w.signature not in stored} for plans in works]
    slots = slots or os.cpu_count() or 1
    return Forecast(
        trials=dict(Counter(str(record.role) for record in studies[0])),
        sharing=found[0],
        factors={kind: tuple(one[kind].factor for one in found) for kind in KINDS[:2]},
        hours=statistics.fmean(sum(map(speed.seconds, own.values())) for own in once) / 3600,
        hours_without_reuse=statistics.fmean(sum(speed.seconds(w) for plan in plans for w in plan) for plans in works) / 3600,
        wall_hours=_makespan(works[0], stored, speed, slots) / 3600,
        slots=slots,
        bytes=round(statistics.fmean(sum(speed.bytes(w, keep_targets=keep_targets) for w in own.values()) for own in once)),
        speed=speed,
        measured=measured,
        gpus=gpus,
    )


def _stored(store: str | None) -> frozenset[str]:
    from tasksearch.store.remote import open_store

    return frozenset(open_store(store).names()) if store else frozenset()


def _there(stored: frozenset[str], plans: Any) -> frozenset[str]:
    """What needs no training: a target phase, whose weights are seldom kept, where none of its score tables is missing."""
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
    """Seconds, by the decisions that the driver takes (`engine.simulation`)."""
    from tasksearch.core.required_segments import RequiredSegment
    from tasksearch.engine.simulation import SimulatedTrial, simulate_run

    journeys = []
    for plan in plans:
        seconds = [(work, 0.0 if work.signature in stored else speed.seconds(work)) for work in plan]
        chain = tuple(RequiredSegment(work.signature, spent) for work, spent in seconds if work.kind == "intermediate")
        leaves: dict[str, float] = {}
        for work, spent in seconds:
            if work.kind != "intermediate":
                leaves[work.target] = leaves.get(work.target, 0.0) + spent
        ends = {work.target: work.signature for work, _ in reversed(seconds) if work.kind != "intermediate"}
        journeys.append(SimulatedTrial(chain, tuple(RequiredSegment(ends[target], spent) for target, spent in leaves.items())))
    return simulate_run(journeys, slots, slots).makespan
