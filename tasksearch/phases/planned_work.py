"""What a plan asks for, segment by segment, before anything of it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tasksearch.phases.run import PlanRun


@dataclass(frozen=True, kw_only=True)
class PlannedWork:
    """A segment or score table that a plan asks for.

    Attributes:
        signature: its name; equal names are trained once.
        kind: what it is.
        target: whose it is; empty for an intermediate segment.
        steps: optimiser steps; 0 for a score table.
        examples: scored examples; 0 for a segment.
        carries: whether the store keeps its optimiser too.
    """

    signature: str
    kind: Literal["intermediate", "target", "scores"]
    target: str = ""
    steps: int = 0
    examples: int = 0
    carries: bool = False


def planned_work(run: PlanRun) -> tuple[PlannedWork, ...]:
    """Everything a plan asks for, in the order it is run; files are read to be counted."""
    chain = run.soup.segments if run.soup else run.intermediate
    found = [
        PlannedWork(signature=one.signature, kind="intermediate", steps=one.stage.steps, carries=one.carries) for one in chain
    ]
    cap = run.plan.settings.evaluation_examples
    for segment in run.targets:
        card = run.context.suite.card(segment.target)
        if segment.trained:
            found.append(
                PlannedWork(
                    signature=segment.signature, kind="target", target=segment.target, steps=_steps(run, segment.target)
                )
            )
        for language, name in segment.tables:
            portions = run.context.source.portions(card, language, cap)
            examples = sum(len(portion.examples) for portion in portions)
            found.append(PlannedWork(signature=name, kind="scores", target=segment.target, examples=examples))
    return tuple(found)


def _steps(run: PlanRun, target: str) -> int:
    settings, card = run.plan.settings.for_target(target), run.context.suite.card(target)
    size = run.context.source.training_size(card)
    items = min(size, settings.train_examples or size)
    steps = settings.steps or max(1, round((settings.epochs or 1.0) * items / settings.batch_size))
    return steps + -(-run.plan.extra_examples // settings.batch_size)


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """What many plans ask for, and what of it is different.

    Attributes:
        asked, distinct: optimiser steps.
        segments, distinct_segments: numbers of segments.
        already: distinct segments that the store has.
    """

    asked: int
    distinct: int
    segments: int
    distinct_segments: int
    already: int

    @property
    def factor(self) -> float:
        """Steps asked over distinct steps: what a store saves at most, and reaches exactly."""
        return self.asked / self.distinct if self.distinct else 1.0


def sharing(plans: Sequence[Sequence[PlannedWork]], kind: str, stored: frozenset[str] = frozenset()) -> Sharing:
    """Of the segments of one kind."""
    every = [work for plan in plans for work in plan if work.kind == kind]
    once = {work.signature: work for work in every}
    return Sharing(
        asked=sum(work.steps for work in every),
        distinct=sum(work.steps for work in once.values()),
        segments=len(every),
        distinct_segments=len(once),
        already=len(stored & once.keys()),
    )
