"""`Soup`: the average of the encoders at the end of several intermediate phases, of mixes or seeds, as a starting point."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tasksearch.core.plan import Plan
from tasksearch.core.signature import signature_of
from tasksearch.phases.context import RunContext
from tasksearch.phases.intermediate import Intermediate
from tasksearch.phases.model_average import MeanWeights
from tasksearch.phases.results import OnStep, PartOutcome
from tasksearch.phases.resumable import weights
from tasksearch.phases.segments import IntermediateSegment, root_signature, segments_of
from tasksearch.training.order import stage_counts

SOUP = "soup"
"""Name of the part that computes the average."""


class Soup:
    """Averages weights in double precision without intermediate heads (uniform soup: Wortsman et al., ICML 2022).

    All phases start from one checkpoint; averaging is meaningless otherwise. The average is not stored: it is computed from the
    stored segments in the time needed to read them; an evicted segment is trained again.

    Attributes:
        signature: hash of the averaged segments' signatures.
        segments: all segments of all averaged phases.
    """

    def __init__(self, plan: Plan, context: RunContext) -> None:
        self._context = context
        mixes = [dataclasses.replace(member, targets=()) for member in plan.soup_members]
        self._phases = [_phase_of(mix, context) for mix in mixes]
        self.segments = tuple(segment for _, chain in self._phases for segment in chain)
        self.signature = signature_of("soup", [chain[-1].signature for _, chain in self._phases])

    def make(self, plan: Plan, on_step: OnStep | None = None) -> tuple[Any, PartOutcome]:
        """The averaged model, an object of its own, and what it cost."""
        outcome, mean = PartOutcome(), MeanWeights()
        for phase, chain in self._phases:
            for segment in chain:
                done = phase.run(segment, on_step)
                outcome.steps += done.steps
                for kind, spent in done.seconds.items():
                    outcome.seconds[kind] = outcome.seconds.get(kind, 0.0) + spent
            mean.add(weights(phase.last().model))
            phase.state = None  # one model at a time
        model = self._context.first_model(plan)
        mean.load_into(model)
        return model, outcome


def _phase_of(plan: Plan, context: RunContext) -> tuple[Intermediate, Sequence[IntermediateSegment]]:
    around = context.surroundings(plan)
    chain, _ = segments_of(plan, around, languages_of={}, trained={}, shown_by=stage_counts)
    return Intermediate(plan, context, root_signature(around), chain), chain
