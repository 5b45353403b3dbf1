"""`PlanRun`: a plan, carried out part by part; `run_plan`: all of it. What a notebook calls is what a trial calls."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from tasksearch.core.plan import Plan, TrainSettings
from tasksearch.core.score import Half, Score, ScoreTable
from tasksearch.core.signature import seed_from
from tasksearch.evaluation.labelled import score_labelled
from tasksearch.evaluation.retrieval import score_retrieval
from tasksearch.metrics.outcomes import Outcomes, value_of
from tasksearch.models.encoder import no_mlm_head
from tasksearch.models.heads import make_head
from tasksearch.phases.context import RunContext
from tasksearch.phases.segments import IntermediateSegment, TargetSegment, root_signature, segments_of
from tasksearch.phases.snapshots import Snapshot, clear, latest, saving
from tasksearch.phases.stock import claim, prune
from tasksearch.phases.store import SegmentDamaged, SegmentStore, Tensors
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import Encoded, select
from tasksearch.training.curves import Curve
from tasksearch.training.loop import Learner, OptimizerState, TrainingTask, train_segment
from tasksearch.training.order import StepItems, StepTasks, draw_items, stage_counts, stage_steps

Cell = tuple[str, str, Half]
OnStep = Callable[[str, int, int], None]
"""(part, step, steps): progress inside a part."""


@dataclass(kw_only=True)
class PartOutcome:
    """What one part came to.

    Attributes:
        scores, outcomes: of a target's part; empty for an intermediate one.
        seconds: spent by kind of work; `reused` counts what the store saved.
        steps: optimiser steps taken (0 where the store had the segment).
    """

    scores: ScoreTable = field(default_factory=ScoreTable)
    outcomes: dict[Cell, Outcomes] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    steps: int = 0


@dataclass(kw_only=True)
class TrainedTarget(PartOutcome):
    """A target's part with the model behind its scores.

    Attributes:
        model: the `XLMRobertaForMaskedLM` whose encoder was fine-tuned; that of phase 2 where the target trains nothing.
        head: the target's head; None for retrieval.
    """

    model: Any
    head: nn.Module | None


@dataclass(frozen=True, kw_only=True)
class PlanResult:
    """What a plan came to: the whole table of scores, per-example outcomes, seconds by kind of work, facts for tags."""

    scores: ScoreTable
    outcomes: dict[Cell, Outcomes]
    seconds: dict[str, float]
    facts: dict[str, str]


@dataclass
class _State:
    """A model between segments, and the signature that names it."""

    signature: str
    model: Any
    heads: nn.ModuleDict
    optimizer: OptimizerState


class PlanRun:
    """A plan's segments, and the model between them. Parts may be run in any process: what is missing is loaded or trained."""

    def __init__(self, plan: Plan, context: RunContext) -> None:
        self.plan, self.context = plan, context
        _check_mlm(plan, context)
        cards = {target: context.suite.card(target) for target in plan.targets}
        around = context.surroundings(plan)
        self._root = root_signature(around)
        self.intermediate, self.targets = segments_of(
            plan,
            around,
            languages_of=context.languages_of(plan),
            trained={target: card.trained for target, card in cards.items()},
            shown_by=stage_counts,
        )
        if context.store is not None:
            claim(context.store, [s.signature for s in self.intermediate] + [s.signature for s in self.targets])
        self._state: _State | None = None

    @property
    def notes(self) -> dict[str, str]:
        """What is worth a line beside the trial's facts."""
        damaged = self.context.store.damaged if self.context.store else []
        return {"damaged_segments": ", ".join(damaged)} if damaged else {}

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts in order: `intermediate/0` …, then `target/<name>` …"""
        return tuple(s.name for s in self.intermediate) + tuple(s.name for s in self.targets)

    def run(self, part: str, on_step: OnStep | None = None) -> PartOutcome:
        """Carries out one part, or takes it from the store."""
        for segment in self.intermediate:
            if segment.name == part:
                return self._run_intermediate(segment, on_step)
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
        return self._state_at(self.intermediate[-1].signature if self.intermediate else self._root).model

    # ---- phase 2

    def _run_intermediate(self, segment: IntermediateSegment, on_step: OnStep | None) -> PartOutcome:
        store = self.context.store
        if store is not None and (found := store.manifest(segment.signature)):
            store.use(segment.signature)
            return PartOutcome(seconds={"reused": float(found["facts"].get("seconds", 0.0))})
        begin = time.perf_counter()
        steps = self._train_and_keep(self._state_at(segment.parent), segment, on_step)
        return PartOutcome(seconds={"intermediate": time.perf_counter() - begin}, steps=steps)

    def _train_and_keep(self, state: _State, segment: IntermediateSegment, on_step: OnStep | None) -> int:
        """Trains the state on through the segment and stores it; returns the steps that were taken now."""
        begin = time.perf_counter()
        self._state = None  # what a failure leaves half trained is nobody's state
        total, before = self._train_stage(state, segment, on_step)
        state.signature = segment.signature
        self._state = state
        if store := self.context.store:
            tables = {"model": _weights(state.model), "heads": _weights(state.heads)}
            if segment.carries:
                tables["optimizer"] = state.optimizer
            facts = {"kind": "intermediate", "label": f"{segment.stage}, seed {self.plan.seed}", "steps": total}
            facts |= {
                "seconds": time.perf_counter() - begin + (before.seconds if before else 0.0),
                "heads": _shapes(state.heads),
            }
            self._keep(store, segment.signature, tables, facts)
        return total - (before.step if before else 0)

    def _keep(self, store: SegmentStore, signature: str, tables: dict[str, Tensors], facts: dict[str, Any]) -> None:
        store.put(signature, tables, facts)
        clear(store, signature)
        if self.context.store_budget is not None:
            prune(store, self.context.store_budget)

    def _train_stage(self, state: _State, segment: IntermediateSegment, on_step: OnStep | None) -> tuple[int, Snapshot | None]:
        """Trains in place, from a snapshot inside the segment where there is one; returns the segment's steps, and it."""
        plan, settings, stage = self.plan, self.plan.settings.intermediate, segment.stage
        tasks = {name: self._training_task(self.context.suite.card(name), settings) for name in stage.tasks}
        for name in stage.tasks:
            self._add_head(state.heads, self.context.suite.card(name))
        steps = stage_steps(stage, settings.batch_size, seed=plan.seed, mixing=settings.mixing)
        items = draw_items(
            steps,
            {name: task.items.lengths for name, task in tasks.items()},
            settings.batch_size,
            seed=plan.seed,
            skip=dict(segment.shown),
        )
        learner = self._learner(state.model, state.heads)
        carried = state.optimizer if settings.lr_policy == "phase" else {}
        state.optimizer, before = self._train(
            learner,
            tasks,
            items,
            settings,
            Curve(total=segment.curve_total, begin=segment.begin, warmup=settings.warmup),
            segment=segment,
            optimizer_state=carried,
            on_step=on_step,
        )
        return len(items), before

    def _train(
        self,
        learner: Learner,
        tasks: Mapping[str, TrainingTask],
        items: Sequence[StepItems],
        settings: TrainSettings,
        curve: Curve,
        *,
        segment: IntermediateSegment | TargetSegment,
        optimizer_state: OptimizerState,
        on_step: OnStep | None,
    ) -> tuple[OptimizerState, Snapshot | None]:
        """`train_segment` from where a killed process left it, saved on its way; the optimiser, and what it began from."""
        store, begin = self.context.store, time.perf_counter()
        before = latest(store, segment.signature, ("model", "heads", "optimizer"))
        if before is not None:
            learner.model.load_state_dict(before.tables["model"], strict=False)
            learner.heads.load_state_dict(before.tables["heads"])
            optimizer_state = before.tables["optimizer"]
        earlier = before.seconds if before else 0.0
        state = train_segment(
            learner,
            tasks,
            items,
            settings,
            curve,
            randomness=segment.signature,
            optimizer_state=optimizer_state,
            first=before.step if before else 0,
            saving=saving(
                store,
                segment.signature,
                self.context.snapshots,
                lambda: {"model": _weights(learner.model), "heads": _weights(learner.heads)},
                lambda: earlier + time.perf_counter() - begin,
                segment.name,
            ),
            on_step=_reporter(on_step, segment.name, len(items)),
        )
        return state, before

    def _training_task(self, card: TaskCard, settings: TrainSettings) -> TrainingTask:
        items = self.context.source.training(card, settings.max_length)
        return TrainingTask(items=items, head=None if card.kind == "mlm" else _module_name(card.head))

    def _add_head(self, heads: nn.ModuleDict, card: TaskCard) -> None:
        if card.kind != "mlm" and _module_name(card.head) not in heads:
            heads[_module_name(card.head)] = self._fresh_head(card, card.head)

    def _fresh_head(self, card: TaskCard, name: str) -> nn.Module:
        config = self.context.pretrained.model.config
        return make_head(
            card.kind,
            name,
            {"choice": 1, "span": 2}.get(card.kind, len(card.labels)),
            hidden_size=self.context.pretrained.hidden_size,
            features=self.plan.settings.features,
            dropout=float(config.hidden_dropout_prob),
            seed=self.plan.seed,
        ).to(self.context.device)

    # ---- phase 3 and scores

    def _run_target(self, segment: TargetSegment, on_step: OnStep | None) -> PartOutcome:
        store = self.context.store
        if store is not None and (found := store.manifest(segment.signature)):
            with suppress(SegmentDamaged):
                table = store.tensors(segment.signature, "outcomes")
                store.use(segment.signature)
                outcomes = {_cell(name): numbers.numpy() for name, numbers in table.items()}
                saved = sum(float(v) for v in found["facts"].get("seconds", {}).values())
                return PartOutcome(scores=self._scores(segment, outcomes), outcomes=outcomes, seconds={"reused": saved})
        done = self._train_target(segment, on_step)
        if store is not None:
            tables = {"outcomes": {"/".join(cell): torch.from_numpy(table) for cell, table in done.outcomes.items()}}
            if self.context.keep_targets and done.head is not None:
                tables |= {"model": _weights(done.model), "head": _weights(done.head)}
            facts = {"kind": "target", "label": f"{segment.target}, seed {self.plan.seed}"}
            self._keep(store, segment.signature, tables, facts | {"seconds": done.seconds, "steps": done.steps})
        return PartOutcome(scores=done.scores, outcomes=done.outcomes, seconds=done.seconds, steps=done.steps)

    def _train_target(self, segment: TargetSegment, on_step: OnStep | None) -> TrainedTarget:
        began = time.perf_counter()
        card = self.context.suite.card(segment.target)
        state = self._state_at(segment.parent)
        model, head, steps = state.model, None, 0
        seconds: dict[str, float] = {}
        if segment.trained:
            model = copy.deepcopy(state.model)
            head, steps = self._fine_tune(model, state.heads, card, segment, on_step)
            seconds["target"] = time.perf_counter() - began
            began = time.perf_counter()
        outcomes = {
            (segment.target, language, half): table
            for language in segment.languages
            for half, table in self._outcomes(model, head, card, language).items()
        }
        seconds["evaluation"] = time.perf_counter() - began
        scores = self._scores(segment, outcomes)
        return TrainedTarget(scores=scores, outcomes=outcomes, seconds=seconds, steps=steps, model=model, head=head)

    def _fine_tune(
        self, model: Any, heads: nn.ModuleDict, card: TaskCard, segment: TargetSegment, on_step: OnStep | None
    ) -> tuple[nn.Module, int]:
        """English target data, a fresh head (or a warm one): returns the trained head and the number of steps."""
        settings, seed = self.plan.settings.for_target(card.name), self.plan.seed
        items = self._target_items(card, settings)
        warm = self._warm_head(heads, card)
        head = copy.deepcopy(warm) if warm is not None else self._fresh_head(card, f"target/{card.name}")
        total = settings.steps or max(1, round((settings.epochs or 1.0) * len(items) / settings.batch_size))
        steps: list[StepTasks] = [((card.name, settings.batch_size),)] * total
        drawn = draw_items(steps, {card.name: items.lengths}, settings.batch_size, seed=seed, skip={})
        only = nn.ModuleDict({"target": head})
        self._train(
            self._learner(model, only),
            {card.name: TrainingTask(items=items, head="target")},
            drawn,
            settings,
            Curve(total=total, warmup=settings.warmup),
            segment=segment,
            optimizer_state={},
            on_step=on_step,
        )
        return head, total

    def _target_items(self, card: TaskCard, settings: TrainSettings) -> Encoded:
        items = self.context.source.training(card, settings.max_length)
        if settings.train_examples is None or settings.train_examples >= len(items):
            return items
        draw = np.random.default_rng(seed_from("subset", self.plan.seed, card.name))
        return select(items, np.sort(draw.permutation(len(items))[: settings.train_examples]).astype(np.int64))

    def _warm_head(self, heads: nn.ModuleDict, card: TaskCard) -> nn.Module | None:
        if self.plan.settings.head != "warm" or not card.labels:
            return None
        cards = self.context.suite.intermediates
        alike = [c.head for c in cards if (c.kind, c.labels) == (card.kind, card.labels) and _module_name(c.head) in heads]
        return heads[_module_name(alike[0])] if alike else None

    def _outcomes(self, model: Any, head: nn.Module | None, card: TaskCard, language: str) -> dict[Half, Outcomes]:
        """Half → outcomes of its examples, of one language. A portion is scored once, whatever halves it serves."""
        source, specials, plan = self.context.source, self.context.specials, self.plan.settings
        settings = plan.intermediate if head is None else plan.for_target(card.name)
        cap = plan.evaluation_examples
        encoded = source.evaluation(card, language, settings.max_length, cap)
        scored = list(zip(source.portions(card, language, cap), encoded, strict=True))
        if head is not None:
            return score_labelled(model, head, card, language, scored, specials, settings.precision)
        tables = [(p, score_retrieval(model, items, specials, plan.retrieval, settings.precision)) for p, items in scored]
        return {half: table[rows] for portion, table in tables for half, rows in portion.rows.items()}

    def _scores(self, segment: TargetSegment, outcomes: dict[Cell, Outcomes]) -> ScoreTable:
        metric = self.context.suite.card(segment.target).metric
        return ScoreTable.of(
            Score(target=t, language=lang, half=half, metric=metric, value=value_of(o), examples=len(o), seed=self.plan.seed)
            for (t, lang, half), o in outcomes.items()
        )

    # ---- the model between segments

    def _learner(self, model: Any, heads: nn.ModuleDict) -> Learner:
        return Learner(model=model, heads=heads, specials=self.context.specials, device=self.context.device)

    def _state_at(self, signature: str) -> _State:
        """The model as it stands after a segment: in memory, from the store, or trained again."""
        if self._state is not None and self._state.signature == signature:
            return self._state
        self._state = None  # two models at once is one too many for some GPUs
        state = _State(self._root, self.context.first_model(self.plan), nn.ModuleDict(), {})
        missing: list[IntermediateSegment] = []
        names = [segment.signature for segment in self.intermediate]
        for segment in reversed(self.intermediate[: names.index(signature) + 1 if signature in names else 0]):
            if self._load(state, segment):
                break
            missing.append(segment)
        for segment in reversed(missing):
            self._train_and_keep(state, segment, None)
        assert state.signature == signature, "a segment's parent is the root or a segment of the plan"
        self._state = state
        return state

    def _load(self, state: _State, segment: IntermediateSegment) -> bool:
        """Takes a stored segment into the state, wholly or not at all."""
        store = self.context.store
        if store is None or (found := store.manifest(segment.signature)) is None:
            return False
        names = ("model", "heads", "optimizer") if segment.carries else ("model", "heads")
        try:
            tables = {name: store.tensors(segment.signature, name) for name in names}
        except SegmentDamaged:
            return False
        state.model.load_state_dict(tables["model"], strict=False)
        state.heads.clear()
        for name in found["facts"]["heads"]:
            card = next(card for card in self.context.suite.intermediates if _module_name(card.head) == name)
            self._add_head(state.heads, card)
        state.heads.load_state_dict(tables["heads"])
        state.optimizer, state.signature = tables.get("optimizer", {}), segment.signature
        return True


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
    masked = [task for task in plan.schedule.tasks if context.suite.card(task).kind == "mlm"]
    if masked and not context.pretrained.has_mlm_head:
        raise no_mlm_head(context.pretrained.source, masked)


def _weights(module: nn.Module) -> dict[str, torch.Tensor]:
    """A module's tensors by name, shared ones once."""
    seen: set[int] = set()
    table: dict[str, torch.Tensor] = {}
    for name, tensor in module.state_dict().items():
        if tensor.data_ptr() not in seen or tensor.numel() == 0:
            seen.add(tensor.data_ptr())
            table[name] = tensor.detach().to("cpu", copy=True)
    return table


def _shapes(heads: nn.ModuleDict) -> list[str]:
    return sorted(heads)


def _module_name(head: str) -> str:
    return head.replace(".", "_")


def _cell(name: str) -> Cell:
    target, language, half = name.rsplit("/", 2)
    return target, language, "select" if half == "select" else "report"


def _reporter(on_step: OnStep | None, part: str, total: int) -> Callable[[int, float], None] | None:
    return None if on_step is None else lambda step, _loss: on_step(part, step, total)
