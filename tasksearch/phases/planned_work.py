"""The segments and score tables of a plan, with their cost, before any of them runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tasksearch.core.schedule import Stage
from tasksearch.phases.few_shot import few_shot_steps
from tasksearch.phases.run import PlanRun


@dataclass(frozen=True, kw_only=True)
class PlannedWork:
    """A segment or score table that a plan needs.

    Attributes:
        signature: its signature; work with equal signatures is done once.
        kind: intermediate segment, target segment or score table.
        target: target that it belongs to; empty for an intermediate segment.
        steps: optimiser steps; 0 for a score table.
        examples: number of scored examples; 0 for a segment.
        tokens: tokens that the steps read, padding left out; 0 for a score table.
        carries: whether the store keeps its optimiser state too.
    """

    signature: str
    kind: Literal["intermediate", "target", "scores"]
    target: str = ""
    steps: int = 0
    examples: int = 0
    tokens: int = 0
    carries: bool = False


def planned_work(run: PlanRun) -> tuple[PlannedWork, ...]:
    """Return everything that a plan needs, in the order it is run; files are read to count examples."""
    found = [
        PlannedWork(
            signature=one.signature,
            kind="intermediate",
            steps=one.stage.steps,
            tokens=_stage_tokens(run, one.stage),
            carries=one.carries,
        )
        for one in run.chain
    ]
    for member in run.members:
        found += [one for one in planned_work(member) if one.kind == "target"]
    cap = run.plan.settings.evaluation_examples
    for segment in run.targets:
        card = run.context.suite.card(segment.target)
        if segment.trained and not run.members:
            steps, settings = _steps(run, segment.target), run.plan.for_target(segment.target)
            tokens = round(steps * settings.batch_size * _mean_tokens(run, segment.target, settings.max_length))
            found.append(
                PlannedWork(signature=segment.signature, kind="target", target=segment.target, steps=steps, tokens=tokens)
            )
        for _, name in segment.continued:
            steps, size = few_shot_steps(run.plan, card, run.context), run.plan.settings.few_shot
            settings = run.plan.for_target(segment.target).few_shot(size)
            tokens = round(steps * settings.batch_size * _mean_tokens(run, segment.target, settings.max_length))
            found.append(PlannedWork(signature=name, kind="target", target=segment.target, steps=steps, tokens=tokens))
        for language, name in segment.tables:
            examples = run.context.source.scored_examples(card, language, cap)
            found.append(PlannedWork(signature=name, kind="scores", target=segment.target, examples=examples))
    return tuple(found)


def _stage_tokens(run: PlanRun, stage: Stage) -> int:
    settings = run.plan.settings
    per_example = sum(float(stage.share(task)) * _mean_tokens(run, task, settings.length_of(task)) for task in stage.tasks)
    return round(stage.steps * settings.intermediate.batch_size * per_example)


def _mean_tokens(run: PlanRun, task: str, max_length: int) -> float:
    """Return the tokens of a training example, the mean over all of them."""
    items = run.context.source.training(run.context.suite.card(task), max_length)
    return float(items.tokens.bounds[-1]) / max(1, len(items))


def _steps(run: PlanRun, target: str) -> int:
    settings, card = run.plan.for_target(target), run.context.suite.card(target)
    size = run.context.source.training_size(card)
    return settings.steps_for(size) + -(-run.plan.extra_examples // settings.batch_size)


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """How much work many plans need, and how much of it is distinct.

    Attributes:
        asked, distinct: optimiser steps, with repetitions and without.
        segments, distinct_segments: numbers of segments, with repetitions and without.
        already: distinct segments that are already stored.
    """

    asked: int
    distinct: int
    segments: int
    distinct_segments: int
    already: int

    @property
    def factor(self) -> float:
        """Requested steps over distinct steps: the factor that a store saves."""
        return self.asked / self.distinct if self.distinct else 1.0


def sharing(plans: Sequence[Sequence[PlannedWork]], kind: str, stored: frozenset[str] = frozenset()) -> Sharing:
    """Return the sharing among the work of one kind."""
    every = [work for plan in plans for work in plan if work.kind == kind]
    once = {work.signature: work for work in every}
    return Sharing(
        asked=sum(work.steps for work in every),
        distinct=sum(work.steps for work in once.values()),
        segments=len(every),
        distinct_segments=len(once),
        already=len(stored & once.keys()),
    )
