"""`PlanRun`: a plan, carried out part by part; `run_plan`: all of it. What a notebook calls is what a trial calls."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from typing import Any

import torch
from torch import nn

from tasksearch.core.plan import Plan
from tasksearch.core.score import ScoreTable
from tasksearch.metrics.outcomes import Outcomes
from tasksearch.models.encoder import no_mlm_head
from tasksearch.phases.context import RunContext
from tasksearch.phases.intermediate import Intermediate, ModelState
from tasksearch.phases.parts import Cell, OnStep, PartOutcome, PlanResult, TrainedTarget
from tasksearch.phases.resumable import keep, weights
from tasksearch.phases.scores import cell_of, scores_of
from tasksearch.phases.segments import TargetSegment, root_signature, segments_of
from tasksearch.phases.snapshots import clear
from tasksearch.phases.soup import SOUP, Soup
from tasksearch.phases.stock import claim
from tasksearch.phases.store import SegmentDamaged
from tasksearch.phases.target import train_target
from tasksearch.training.order import stage_counts

__all__ = ["Cell", "OnStep", "PartOutcome", "PlanResult", "PlanRun", "TrainedTarget", "run_plan"]


class PlanRun:
    """A plan's segments, and the model between them. Parts may be run in any process: what is missing is loaded or trained."""

    def __init__(self, plan: Plan, context: RunContext) -> None:
        self.plan, self.context = plan, context
        _check_mlm(plan, context)
        cards = {target: context.suite.card(target) for target in plan.targets}
        around = context.surroundings(plan)
        self._soup = Soup(plan, context) if plan.soup else None
        if self._soup is not None:
            around = dataclasses.replace(around, model=self._soup.signature)
        self.intermediate, self.targets = segments_of(
            plan,
            around,
            languages_of=context.languages_of(plan),
            trained={target: card.trained for target, card in cards.items()},
            shown_by=stage_counts,
        )
        if context.store is not None:
            chain = (*(self._soup.segments if self._soup else ()), *self.intermediate)
            claim(context.store, [s.signature for s in chain] + [s.signature for s in self.targets])
        self._phase2 = Intermediate(plan, context, root_signature(around), self.intermediate, self._first_model)

    @property
    def notes(self) -> dict[str, str]:
        """What is worth a line beside the trial's facts."""
        damaged = self.context.store.damaged if self.context.store else []
        return {"damaged_segments": ", ".join(damaged)} if damaged else {}

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts in order: `intermediate/0` … (of a soup: `soup`), then `target/<name>` …"""
        return ((SOUP,) if self._soup else ()) + tuple(s.name for s in self.intermediate) + tuple(s.name for s in self.targets)

    def run(self, part: str, on_step: OnStep | None = None) -> PartOutcome:
        """Carries out one part, or takes it from the store."""
        if part == SOUP and self._soup is not None:
            return self._run_soup(self._soup, on_step)
        for segment in self.intermediate:
            if segment.name == part:
                return self._phase2.run(segment, on_step)
        return self._run_target(next(segment for segment in self.targets if segment.name == part), on_step)

    def trained(self, target: str, on_step: OnStep | None = None) -> TrainedTarget:
        """A target's part with its model. The store, which keeps scores alone, cannot serve it: it is trained, to the bit as
        before.
        """
        segment = next(segment for segment in self.targets if segment.target == target)
        done = self._train_target(segment, on_step)
        if self.context.store is not None:
            clear(self.context.store, segment.signature)
        return done

    def encoder(self) -> Any:
        """The model after phase 2: an `XLMRobertaForMaskedLM`, which later parts of this run train no further."""
        return self._phase2.last().model

    def _first_model(self) -> Any:
        return self._soup.make(self.plan)[0] if self._soup else self.context.first_model(self.plan)

    def _run_soup(self, soup: Soup, on_step: OnStep | None) -> PartOutcome:
        model, outcome = soup.make(self.plan, on_step)
        self._phase2.state = ModelState(self._phase2.root, model, nn.ModuleDict(), {})
        return outcome

    def _run_target(self, segment: TargetSegment, on_step: OnStep | None) -> PartOutcome:
        store = self.context.store
        if store is not None and (found := store.manifest(segment.signature)):
            with suppress(SegmentDamaged):
                table = store.tensors(segment.signature, "outcomes")
                store.use(segment.signature)
                outcomes = {cell_of(name): numbers.numpy() for name, numbers in table.items()}
                saved = sum(float(v) for v in found["facts"].get("seconds", {}).values())
                scores = scores_of(outcomes, self.context.suite.card(segment.target).metric, self.plan.seed)
                return PartOutcome(scores=scores, outcomes=outcomes, seconds={"reused": saved})
        done = self._train_target(segment, on_step)
        if store is not None:
            tables = {"outcomes": {"/".join(cell): torch.from_numpy(table) for cell, table in done.outcomes.items()}}
            if self.context.keep_targets and done.head is not None:
                tables |= {"model": weights(done.model), "head": weights(done.head)}
            facts: dict[str, Any] = {"kind": "target", "label": f"{segment.target}, seed {self.plan.seed}"}
            facts |= {"seconds": done.seconds, "steps": done.steps} | (self.context.micro.note if done.steps else {})
            keep(store, segment.signature, tables, facts, self.context.store_budget)
        return PartOutcome(scores=done.scores, outcomes=done.outcomes, seconds=done.seconds, steps=done.steps)

    def _train_target(self, segment: TargetSegment, on_step: OnStep | None) -> TrainedTarget:
        return train_target(self._phase2.state_at(segment.parent), segment, self.plan, self.context, on_step)


def run_plan(plan: Plan, context: RunContext, on_step: OnStep | None = None) -> PlanResult:
    """All parts of a plan, one after the other, in this process.

    Raises:
        TrainingFailed: a loss that is not finite.
        DataMissing, BadInput: data that the plan needs.
    """
    run = PlanRun(plan, context)
    scores, outcomes, seconds = ScoreTable(), dict[Cell, Outcomes](), dict[str, float]()
    for part in run.parts:
        done = run.run(part, on_step)
        scores, outcomes = scores + done.scores, outcomes | done.outcomes
        for kind, spent in done.seconds.items():
            seconds[kind] = seconds.get(kind, 0.0) + spent
    return PlanResult(scores=scores, outcomes=outcomes, seconds=seconds, facts=context.facts())


def _check_mlm(plan: Plan, context: RunContext) -> None:
    """Raises ModelUnusable for an MLM task on a checkpoint without an MLM head."""
    tasks = [task for schedule in (plan.schedule, *plan.soup) for task in schedule.tasks]
    masked = [task for task in dict.fromkeys(tasks) if context.suite.card(task).kind == "mlm"]
    if masked and not context.pretrained.has_mlm_head:
        raise no_mlm_head(context.pretrained.source, masked)
