"""`PlanRun` runs a plan part by part, `run_plan` all of it; notebooks and trials use the same functions."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from tasksearch.core import shared_trainings
from tasksearch.core.arguments import named_arguments
from tasksearch.core.learning_curve import LearningCurve
from tasksearch.core.plan import Plan
from tasksearch.core.score import ScoreTable
from tasksearch.core.signature import signature_of
from tasksearch.forward.memory import release
from tasksearch.metrics.outcomes import Outcomes
from tasksearch.models.encoder import no_mlm_head
from tasksearch.phases.checkpoints import clear
from tasksearch.phases.context import RunContext
from tasksearch.phases.few_shot import continue_on
from tasksearch.phases.intermediate import Intermediate, ModelState
from tasksearch.phases.model_average import averaged_model
from tasksearch.phases.results import Cell, OnStep, PartOutcome, PlanResult, TrainedTarget
from tasksearch.phases.scores import keep_outcomes, outcomes_of, scores_of, stored_outcomes
from tasksearch.phases.segments import (
    IntermediateSegment,
    TargetSegment,
    averaged_target,
    root_signature,
    score_file_of,
    segments_of,
    trained_together,
)
from tasksearch.phases.soup import SOUP, Soup
from tasksearch.phases.target import FineTuned, fine_tune, keep_target, kept_target, training_cost
from tasksearch.store.eviction import claim, prune
from tasksearch.store.score_files import facts_of
from tasksearch.tasks.selection_split import document_numbers
from tasksearch.training.order import stage_counts

__all__ = ["Cell", "OnStep", "PartOutcome", "PlanResult", "PlanRun", "TrainedTarget", "run_plan"]


class PlanRun:
    """The segments of a plan, and the model between them.

    Parts may run in any process: missing segments are loaded or trained.
    """

    def __init__(self, plan: Plan, context: RunContext) -> None:
        self.plan, self.context = plan, context
        _check_mlm(plan, context)
        check_averages(plan)
        cards = {target: context.suite.card(target) for target in plan.targets}
        around = context.surroundings(plan)
        self.soup = Soup(plan, context) if plan.soup else None
        if self.soup is not None:
            around = dataclasses.replace(around, model=self.soup.signature)
        self.intermediate, self.targets = segments_of(
            plan,
            around,
            languages_of=context.languages_of(plan),
            trained={target: card.trained for target, card in cards.items()},
            shown_by=stage_counts,
        )
        self.score_file = score_file_of(plan, self.intermediate, root_signature(around))
        self.members = tuple(PlanRun(one, dataclasses.replace(context, keep_targets=True)) for one in plan.model_members)
        if self.members:
            self.intermediate = ()
            own = zip(*(member.targets for member in self.members), strict=True)
            self.targets = tuple(averaged_target(plan, around, segments) for segments in own)
            self.score_file = signature_of("score file of averages", [member.score_file for member in self.members])
        if context.store is not None:
            claim(context.store, [name for run in (*self.members, self) for name in run.needed])
        self._trained_again: list[str] = []
        self._ahead: dict[str, PartOutcome] = {}
        self._costs: dict[str, Mapping[str, Any]] = {}
        self._phase2 = Intermediate(plan, context, root_signature(around), self.intermediate, self._first_model)

    @property
    def chain(self) -> tuple[IntermediateSegment, ...]:
        """All intermediate segments that are trained, those of every averaged training included."""
        if self.members:
            return tuple({one.signature: one for member in self.members for one in member.chain}.values())
        return (*(self.soup.segments if self.soup else ()), *self.intermediate)

    @property
    def needed(self) -> list[str]:
        """Names of everything in the store that the run reads or writes."""
        return [s.signature for s in self.chain] + [name for s in self.targets for name in s.training] + [self.score_file]

    @property
    def notes(self) -> dict[str, str]:
        """Remarks to add to the trial's facts: damaged segments, targets trained again, and targets of one training."""
        damaged = self.context.store.damaged if self.context.store else []
        found = {"damaged_segments": ", ".join(damaged), "trained_again": ", ".join(self._trained_again)}
        found["early_stopping"] = "; ".join(filter(None, map(self._stopped, self.targets)))
        found[shared_trainings.FACT] = shared_trainings.as_text(trained_together(self.targets))
        return {name: text for name, text in found.items() if text}

    def _stopped(self, segment: TargetSegment) -> str:
        """Return where a target's phase was best, in words; empty without early stopping, or where nobody noted it."""
        cost = self._cost_before(segment) if segment.trained and self.plan.for_target(segment.target).early_stopping else None
        own = (cost or {}).get("early_stopping")
        return f"{segment.target}: best after {own['best_step']} of {own['step']} steps" if own else ""

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts in order: `intermediate/0` … (or `soup`), then `target/<name>` …"""
        return ((SOUP,) if self.soup else ()) + tuple(s.name for s in self.intermediate) + tuple(s.name for s in self.targets)

    def run(self, part: str, on_step: OnStep | None = None) -> PartOutcome:
        """Run one part, or take its result from the store; after the last one the store is brought back into its budget."""
        began = time.perf_counter()
        done = self._run(part, on_step)
        release(time.perf_counter() - began)
        if part == self.parts[-1] and self.context.store is not None and self.context.store_budget is not None:
            prune(self.context.store, self.context.store_budget)
        return done

    def _run(self, part: str, on_step: OnStep | None) -> PartOutcome:
        if part == SOUP and self.soup is not None:
            return self._run_soup(self.soup, on_step)
        for segment in self.intermediate:
            if segment.name == part:
                return self._phase2.run(segment, on_step)
        return self._run_target(next(segment for segment in self.targets if segment.name == part), on_step)

    def trained(self, target: str, on_step: OnStep | None = None) -> TrainedTarget:
        """Return a target's part together with its model, scored anew: the scores are those of this very model.

        The model is trained again, bit-identically, unless the store has its weights.
        """
        segment = next(segment for segment in self.targets if segment.target == target)
        done = self._model_of(segment, on_step)
        began = time.perf_counter()
        outcomes: dict[Cell, Outcomes] = {}
        for language in segment.languages:
            outcomes |= self._scored(segment, continue_on(done, segment, language, self.plan, self.context, on_step), language)
        seconds = {"target": done.seconds, "evaluation": time.perf_counter() - began}
        if self.context.store is not None:
            clear(self.context.store, segment.signature)
        scores = scores_of(outcomes, self.context.suite.card(target).metric, self.plan.seed)
        return TrainedTarget(
            scores=scores, outcomes=outcomes, seconds=seconds, steps=done.steps, model=done.model, head=done.head
        )

    def documents(self, target: str) -> dict[Cell, npt.NDArray[np.int64]]:
        """Return the document number of every example of a target, in the order of its outcomes (`tasks.selection_split`)."""
        card, source, settings = self.context.suite.card(target), self.context.source, self.plan.settings
        cap, few_shot = settings.evaluation_examples, settings.few_shot
        languages = next(segment.languages for segment in self.targets if segment.target == target)
        return {
            (target, language, half): numbers
            for language in languages
            for half, numbers in document_numbers(source.portions(card, language, cap, few_shot)).items()
        }

    def curve(self, part: str) -> LearningCurve | None:
        """Return the learning curve that the store keeps with a part's segment, whoever trained it; None if it has none."""
        phases = {one.name: one.signature for one in self.intermediate}
        targets = {one.name: one for one in self.targets}
        if part in targets:
            facts = dict(self._cost_before(targets[part]) or {})
        else:
            manifest = self.context.store.peek(phases[part]) if part in phases and self.context.store else None
            facts = manifest["facts"] if manifest else {}
        kept = facts.get("curve")
        return LearningCurve.from_json(kept) if kept else None

    def encoder(self) -> Any:
        """The model after phase 2: a `…ForMaskedLM`, which later parts of this run train no further."""
        return self._phase2.last().model

    def _first_model(self) -> Any:
        return self.soup.make(self.plan)[0] if self.soup else self.context.first_model(self.plan)

    def _run_soup(self, soup: Soup, on_step: OnStep | None) -> PartOutcome:
        model, outcome = soup.make(self.plan, on_step)
        self._phase2.state = ModelState(self._phase2.root, model, nn.ModuleDict(), {})
        return outcome

    def _run_target(self, segment: TargetSegment, on_step: OnStep | None) -> PartOutcome:
        """Take score tables from the store; for missing ones load or train the model and score it.

        While that model is here, every other target of the same training is scored by it too, for its own part to come.
        """
        if segment.name in self._ahead:
            return self._ahead.pop(segment.name)
        tables, saved = stored_outcomes(self.score_file, segment, self.context)
        missing = [pair for pair in segment.tables if pair[0] not in tables]
        part = PartOutcome()
        if missing:
            if segment is self.targets[0]:
                saved += self._run_members_chains(part)
            done = self._model_of(segment, on_step)
            part.steps += done.steps
            part.seconds |= {"target": done.seconds} if segment.trained else {}
            self._score(part, segment, done, tables, on_step)
            for other in self._sharing(segment):
                if other.name not in self._ahead:
                    known, spared = stored_outcomes(self.score_file, other, self.context)
                    self._ahead[other.name] = PartOutcome(seconds={"reused": spared} if spared else {})
                    self._score(self._ahead[other.name], other, done, known, on_step)
            if self.context.store is not None:
                clear(self.context.store, segment.signature)
                self._drop_members(segment)
        else:
            saved += self._reuse(segment)
            self._score(part, segment, None, tables, on_step)
        part.seconds |= {"reused": saved} if saved or not missing else {}
        return part

    def _run_members_chains(self, part: PartOutcome) -> float:
        """Run the intermediate phases of the averaged trainings, which are no parts of their own; return the seconds spared."""
        spared = 0.0
        for member in self.members:
            for one in member.intermediate:
                done = member.run(one.name)
                part.steps += done.steps
                spared += done.seconds.get("reused", 0.0)
                spent = done.seconds.get("intermediate", 0.0)
                part.seconds |= {"intermediate": part.seconds.get("intermediate", 0.0) + spent} if spent else {}
            member.forget()
        return spared

    def _drop_members(self, segment: TargetSegment) -> None:
        """Remove what the averaged trainings of a target left in the store, their models too unless those are to be kept."""
        if (store := self.context.store) is None or not segment.trained:
            return
        for member in self.members:
            own = next(one for one in member.targets if one.target == segment.target)
            clear(store, own.signature)
            if not self.context.keep_targets:
                store.discard(own.signature)

    def _score(
        self,
        part: PartOutcome,
        segment: TargetSegment,
        done: FineTuned | None,
        tables: dict[str, dict[Cell, Outcomes]],
        on_step: OnStep | None,
    ) -> None:
        """Fill a part's outcomes and scores from known tables, and from the model for the languages that lack one."""
        missing = [language for language in segment.languages if language not in tables]
        if missing and done is not None:
            alike = [language for language in missing if language not in dict(segment.continued)]
            for languages in (alike, *([language] for language in missing if language not in alike)):
                if not languages:
                    continue
                model = continue_on(done, segment, languages[0], self.plan, self.context, on_step)
                if model is not done:
                    part.steps += model.steps
                    part.seconds["target"] = part.seconds.get("target", 0.0) + model.seconds
                began = time.perf_counter()
                tables |= self._score_and_keep(segment, model, languages)
                part.seconds["evaluation"] = part.seconds.get("evaluation", 0.0) + time.perf_counter() - began
        part.outcomes = {cell: table for outcomes in tables.values() for cell, table in outcomes.items()}
        part.scores = scores_of(part.outcomes, self.context.suite.card(segment.target).metric, self.plan.seed)

    def _sharing(self, segment: TargetSegment) -> tuple[TargetSegment, ...]:
        """Return the plan's other targets that are trained by the same segment."""
        return tuple(one for one in self.targets if segment.trained and one != segment and one.signature == segment.signature)

    def model_of(self, target: str, on_step: OnStep | None = None) -> FineTuned:
        """Return a target's model, from the store or trained."""
        return self._model_of(next(segment for segment in self.targets if segment.target == target), on_step)

    def forget(self) -> None:
        """Drop the model after phase 2 from memory; it is loaded or trained again when it is asked for."""
        self._phase2.state = None

    def _model_of(self, segment: TargetSegment, on_step: OnStep | None) -> FineTuned:
        if self.members:
            done = averaged_model(self, segment.target, self.members, on_step)
            if done.steps:
                label = f"{segment.target}, seed {self.plan.seed}, averaged"
                self._costs[segment.signature] = {"label": label, "steps": done.steps, "seconds": done.seconds}
            return done
        kept = kept_target(segment, self.plan, self.context)
        if kept is not None:
            return kept
        if segment.trained and self._cost_before(segment) is not None:
            self._trained_again.append(segment.target)  # its cost was recorded, its weights were not kept
        done = fine_tune(self._phase2, segment, self.plan, self.context, on_step)
        keep_target(segment, done, self.plan, self.context)
        if done.steps:  # noted now: what continues the training has a curve of its own
            self._costs[segment.signature] = training_cost(segment, done, self.plan, self.context)
        return done

    def _score_and_keep(
        self, segment: TargetSegment, done: FineTuned, languages: Sequence[str]
    ) -> dict[str, dict[Cell, Outcomes]]:
        """Score a target in several languages and store all its tables by one write."""
        scored: dict[str, tuple[dict[Cell, Outcomes], float]] = {}
        for language in languages:
            began = time.perf_counter()
            outcomes = self._scored(segment, done, language)
            scored[language] = outcomes, time.perf_counter() - began
        cost = self._costs.get(segment.signature)
        keep_outcomes(self.score_file, segment, scored, f"{segment.target}, seed {self.plan.seed}", cost, self.context)
        return {language: outcomes for language, (outcomes, _) in scored.items()}

    def _scored(self, segment: TargetSegment, done: FineTuned, language: str) -> dict[Cell, Outcomes]:
        card = self.context.suite.card(segment.target)
        found = outcomes_of(done.model, done.head, card, language, self.plan, self.context)
        return {(segment.target, language, half): table for half, table in found.items()}

    def _reuse(self, segment: TargetSegment) -> float:
        """Return the seconds of the training that was unnecessary because all score tables were stored."""
        cost = self._cost_before(segment)
        if cost and self.context.store is not None:
            self.context.store.use(self.score_file)
        return float(cost["seconds"]) if cost else 0.0

    def _cost_before(self, segment: TargetSegment) -> Mapping[str, Any] | None:
        """Return what the store says an earlier training of the target took; None if there was none."""
        store = self.context.store
        return facts_of(store, self.score_file).trainings.get(segment.signature) if store is not None else None


@named_arguments
def run_plan(plan: Plan, context: RunContext, on_step: OnStep | None = None) -> PlanResult:
    """Run all parts of a plan in order, in this process.

    Raises:
        TrainingFailed: a loss or gradient is not finite.
        DataMissing, BadInput: data that the plan needs are missing or unusable.
    """
    run = PlanRun(plan, context)
    scores, outcomes, seconds = ScoreTable(), dict[Cell, Outcomes](), dict[str, float]()
    for part in run.parts:
        done = run.run(part, on_step)
        scores, outcomes = scores + done.scores, outcomes | done.outcomes
        for kind, spent in done.seconds.items():
            seconds[kind] = seconds.get(kind, 0.0) + spent
    return PlanResult(scores=scores, outcomes=outcomes, seconds=seconds, facts=context.facts(plan))


def check_averages(plan: Plan) -> None:
    """Raise BadInput if a phase whose length is known has fewer snapshots than are to be averaged."""
    for schedule in (plan.schedule, *plan.soup):
        if schedule.stages:
            plan.settings.intermediate.check_average(schedule.steps, f"the intermediate phase of {schedule}")
    for target in plan.targets:
        settings = plan.for_target(target)
        if settings.steps is not None:
            settings.check_average(settings.steps, f"the target phase of {target}")


def _check_mlm(plan: Plan, context: RunContext) -> None:
    """Raise ModelUnusable if the plan has an MLM task but the checkpoint has no MLM head."""
    tasks = [task for schedule in (plan.schedule, *plan.soup) for task in schedule.tasks]
    masked = [task for task in dict.fromkeys(tasks) if context.suite.card(task).kind == "mlm"]
    if masked and not context.pretrained.has_mlm_head:
        raise no_mlm_head(context.pretrained.source, masked)
