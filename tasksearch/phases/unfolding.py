"""`outline`: a plan's segments before anything is read for it, for whoever decides which trial begins first."""

from __future__ import annotations

from collections.abc import Sequence

from tasksearch.core.plan import Plan
from tasksearch.core.required_segments import RequiredSegment
from tasksearch.phases.segments import IntermediateSegment, Surroundings, TargetSegment, segments_of
from tasksearch.training.order import stage_counts

_EXAMPLES = 10_000
"""What an epoch of a target whose size is not stated is taken to hold."""


def static_segments(plan: Plan) -> tuple[RequiredSegment, ...]:
    """What a trial of the plan would train part by part, were it alone, with the steps of each.

    Their names are not those of the store: they leave out data, model and machine, which are the same for all plans of a study.
    So two plans of one study share a name where they share a segment. An average of chains is one part of no work: its chains
    are trained already as a rule.
    """
    chain, targets = unfolded(plan)
    parts = [RequiredSegment(segment.signature, segment.stage.steps) for segment in chain]
    if plan.soup:
        parts = [RequiredSegment(f"average of {plan.signature}", 0.0)]
    parts += [RequiredSegment(segment.signature, target_steps(plan, segment)) for segment in targets]
    return tuple(RequiredSegment(need.signature, need.work, place) for place, need in enumerate(parts))


def unfolded(plan: Plan, untrained: Sequence[str] = ()) -> tuple[tuple[IntermediateSegment, ...], tuple[TargetSegment, ...]]:
    """Intermediate and target segments of a plan in surroundings that never change."""
    names = (*plan.schedule.tasks, *plan.targets)
    around = Surroundings(
        model="any",
        training={name: name for name in names},
        evaluation={(target, language): () for target in plan.targets for language in plan.languages},
        numerics="any",
    )
    spoken, trained = dict.fromkeys(plan.targets, plan.languages), {name: name not in untrained for name in plan.targets}
    return segments_of(plan, around, languages_of=spoken, trained=trained, shown_by=stage_counts)


def target_steps(plan: Plan, segment: TargetSegment) -> int:
    """Optimiser steps of a target phase, 0 where there is none."""
    if not segment.trained:
        return 0
    settings = plan.settings.for_target(segment.target)
    # a file is not read to be counted here: the same targets weigh the same in every trial, so any number keeps the order
    examples = settings.train_examples or _EXAMPLES
    return settings.steps or max(1, round((settings.epochs or 1.0) * examples / settings.batch_size))
