"""What a plan's segments stand for, for whoever decides which trial runs first."""

from __future__ import annotations

from tasksearch.core.need import Need
from tasksearch.phases.run import PlanRun
from tasksearch.phases.segments import TargetSegment

_EXAMPLES = 10_000
"""What an epoch of a target whose size is not stated is taken to hold."""


def needs_of(run: PlanRun) -> tuple[tuple[Need, ...], tuple[Need, ...]]:
    """Intermediate and target segments with the optimiser steps of each; evaluation counts as none."""
    chain = tuple(Need(segment.signature, segment.stage.steps) for segment in run.intermediate)
    return chain, tuple(Need(segment.signature, _steps(run, segment)) for segment in run.targets)


def _steps(run: PlanRun, segment: TargetSegment) -> int:
    if not segment.trained:
        return 0
    settings = run.plan.settings.for_target(segment.target)
    # a file is not read to be counted here: the same targets weigh the same in every trial, so any number keeps the order
    examples = settings.train_examples or _EXAMPLES
    return settings.steps or max(1, round((settings.epochs or 1.0) * examples / settings.batch_size))
