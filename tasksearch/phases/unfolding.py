"""`static_segments`: the segments of a plan without reading any data, for the decision which trial starts first."""

from __future__ import annotations

from collections.abc import Sequence

from tasksearch.core.plan import Plan
from tasksearch.core.required_segments import RequiredSegment
from tasksearch.phases.segments import IntermediateSegment, Surroundings, TargetSegment, segments_of
from tasksearch.training.order import stage_counts

_EXAMPLES = 10_000
"""Assumed number of training examples of a target whose settings do not limit them."""


def static_segments(plan: Plan) -> tuple[RequiredSegment, ...]:
    """Return what a trial of the plan would train, part by part, if it ran alone, with the steps of each segment.

    The signatures are not those of the store: they leave out data, model and machine, which are the same for all plans of a
    study. Two plans of one study still share a signature exactly where they share a segment. An average of several phases
    counts as one part without work, since its phases are usually trained already. Which targets share a training is not known
    without data: each counts as its own.
    """
    chain, targets = unfolded(plan)
    parts = [RequiredSegment(segment.signature, segment.stage.steps) for segment in chain]
    if plan.model_seeds:
        names = [RequiredSegment(f"average of {plan.signature}, {s.target}", target_steps(plan, s)) for s in targets]
        return tuple(RequiredSegment(need.signature, need.work, place) for place, need in enumerate(names))
    if plan.soup:
        parts = [RequiredSegment(f"average of {plan.signature}", 0.0)]
    parts += [RequiredSegment(segment.signature, target_steps(plan, segment)) for segment in targets]
    return tuple(RequiredSegment(need.signature, need.work, place) for place, need in enumerate(parts))


def unfolded(plan: Plan, untrained: Sequence[str] = ()) -> tuple[tuple[IntermediateSegment, ...], tuple[TargetSegment, ...]]:
    """Return intermediate and target segments of a plan, with constant placeholders for model, data and machine."""
    names = (*plan.schedule.tasks, *plan.targets)
    around = Surroundings(
        model="any",
        training={name: name for name in names},
        recipes={name: name for name in plan.targets},
        evaluation={(target, language): () for target in plan.targets for language in plan.languages},
        numerics="any",
        contents={path: path for path in plan.method_files},
        kinds=dict.fromkeys(names, "pair"),
    )
    spoken, trained = dict.fromkeys(plan.targets, plan.languages), {name: name not in untrained for name in plan.targets}
    return segments_of(plan, around, languages_of=spoken, trained=trained, shown_by=stage_counts)


def target_steps(plan: Plan, segment: TargetSegment) -> int:
    """Return the optimiser steps of a target phase; 0 if there is no training."""
    if not segment.trained:
        return 0
    settings = plan.for_target(segment.target)
    # no file is read to count examples: a target costs the same in every trial, so any number gives the same order
    return settings.steps_for(settings.train_examples or _EXAMPLES) * max(1, len(plan.model_seeds))
