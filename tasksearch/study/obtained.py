"""What each task obtained in the mixes by mixture rules: examples as training draws them, beside those that were asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tasksearch.core.plan import Plan
from tasksearch.core.study import TrialRecord
from tasksearch.reports.data import RuleShare


def rule_shares(records: Iterable[TrialRecord], sizes: Mapping[str, int]) -> tuple[RuleShare, ...]:
    """Return a row for each task of every finished mix of several tasks that follows a rule, in the order of the trials.

    Args:
        records: of the study.
        sizes: task → training examples.
    """
    plans = {r.plan.schedule: r.plan for r in records if r.status == "done" and r.plan.schedule.rules}
    return tuple(
        RuleShare(
            schedule=schedule,
            task=task,
            size=sizes.get(task, 0),
            asked=float(schedule.share(task) * plan.intermediate_examples),
            obtained=count,
        )
        for schedule, plan in plans.items()
        for task, count in sorted(obtained_examples(plan).items())
    )


def obtained_examples(plan: Plan) -> dict[str, int]:
    """Return task → examples that the plan's intermediate phase draws, as its segments round them."""
    from tasksearch.phases.lr_segments import lr_segments_of
    from tasksearch.training.order import stage_counts

    found: Counter[str] = Counter()
    settings = plan.settings.intermediate
    for piece in lr_segments_of(plan.schedule, settings):
        found.update(stage_counts(piece.stage, settings.batch_size))
    return dict(found)
