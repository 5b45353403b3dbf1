"""Common seeds: the baseline is trained on the fresh seeds of finalists and controls.

Plans on one seed share part of their luck, so their difference is known better on seeds that both have. The search's baseline
has seeds from 0; what finalists and controls went beyond, it gets after the last race.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.search.collapse import is_rerun
from tasksearch.search.controls import control_seeds

PlanOf = Callable[[Schedule, int], Plan]


def next_common(config: StudyConfig, plan_of: PlanOf, before: Sequence[TrialRecord]) -> Plan | None:
    """Return the baseline on the next fresh seed that it lacks; None where it has all of them."""
    there = {record.plan for record in before if record.role == "baseline"}
    wanted = {record.plan.seed for record in before if record.role in ("finalist", "control")}
    plans = (plan_of(Schedule.none(), seed) for seed in range(most_seed(config) + 1))
    return next((plan for plan in plans if plan.seed in wanted and plan not in there), None)


def lacking(records: Sequence[TrialRecord]) -> int:
    """Return the number of fresh seeds that were begun and that the baseline lacks."""
    wanted = {r.plan.seed for r in records if r.role in ("finalist", "control") and not is_rerun(r)}
    return len(wanted - {record.plan.seed for record in records if record.role == "baseline"})


def further_baseline(config: StudyConfig) -> tuple[int, int]:
    """Return the least and the largest number of trainings that this adds to a study."""
    if config.leaders < 1:
        return 0, 0
    has = config.baseline_seeds + config.more_baseline - 1
    return max(0, config.leader_seeds - has), max(0, most_seed(config) - has)


def most_seed(config: StudyConfig) -> int:
    """Return the highest fresh seed that a finalist or control may get."""
    most: int = max(config.leader_seeds, config.seed_limit, *control_seeds(config))
    return most
