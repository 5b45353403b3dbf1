"""Phase 2 of a plan: trains its segments in order and holds the model between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.phases.checkpoints import Checkpoint, clear
from tasksearch.phases.context import RunContext
from tasksearch.phases.heads import add_head, module_name
from tasksearch.phases.results import OnStep, PartOutcome
from tasksearch.phases.resumable import learner_of, train_on, training_task, weights
from tasksearch.phases.segments import IntermediateSegment
from tasksearch.store.segment_store import SegmentDamaged
from tasksearch.training.optimizer import OptimizerState
from tasksearch.training.order import draw_items, shown_of, stage_steps


@dataclass
class ModelState:
    """A model between two segments, with the signature of its last segment, or of the root."""

    signature: str
    model: Any
    heads: nn.ModuleDict
    optimizer: OptimizerState


class Intermediate:
    """Phase 2 of a plan. Holds one model at a time: its state after the segment that was requested last.

    Args:
        first_model: function that makes a new model to start from; None: the plan's first model.

    Attributes:
        root: signature of the state that phase 2 starts from.
        state: current model; None before the first request and after a failed training.
    """

    def __init__(
        self,
        plan: Plan,
        context: RunContext,
        root: str,
        chain: Sequence[IntermediateSegment],
        first_model: Callable[[], Any] | None = None,
    ) -> None:
        self._plan, self._context, self.root, self._chain = plan, context, root, tuple(chain)
        self._first_model = first_model or (lambda: context.first_model(plan))
        self.state: ModelState | None = None

    def run(self, segment: IntermediateSegment, on_step: OnStep | None) -> PartOutcome:
        """Train one segment, or find it in the store."""
        store = self._context.store
        if store is not None and (found := store.reusable(segment.signature)):
            store.use(segment.signature)
            return PartOutcome(seconds={"reused": float(found["facts"].get("seconds", 0.0))})
        begin = time.perf_counter()
        steps = self._train_and_keep(self.state_at(segment.parent), segment, on_step)
        return PartOutcome(seconds={"intermediate": time.perf_counter() - begin}, steps=steps)

    def last(self) -> ModelState:
        """Return the model after the whole phase."""
        return self.state_at(self._chain[-1].signature if self._chain else self.root)

    def state_at(self, signature: str) -> ModelState:
        """Return the model after a segment: from memory, from the store, or by training again."""
        if self.state is not None and self.state.signature == signature:
            return self.state
        self.state = None  # two models at once do not fit on some GPUs
        state = ModelState(self.root, self._first_model(), nn.ModuleDict(), {})
        missing: list[IntermediateSegment] = []
        names = [segment.signature for segment in self._chain]
        for segment in reversed(self._chain[: names.index(signature) + 1 if signature in names else 0]):
            if self._load(state, segment):
                break
            missing.append(segment)
        for segment in reversed(missing):
            self._train_and_keep(state, segment, None)
        assert state.signature == signature, "a segment's parent is the root or a segment of the plan"
        self.state = state
        return state

    def _train_and_keep(self, state: ModelState, segment: IntermediateSegment, on_step: OnStep | None) -> int:
        """Train the state through the segment and store the result; return the number of steps taken now."""
        begin = time.perf_counter()
        self.state = None  # after a failure the half-trained model must not be used
        total, before, shown = self._train_stage(state, segment, on_step)
        state.signature = segment.signature
        if not segment.carries:
            state.optimizer = {}  # twice the trained weights, which nobody reads: targets are trained beside this model
        self.state = state
        if store := self._context.store:
            tables = {"model": weights(state.model), "heads": weights(state.heads)}
            if segment.carries:
                tables["optimizer"] = state.optimizer
            facts = {
                "kind": "intermediate",
                "label": f"{Schedule(stages=(segment.stage,))}, seed {self._plan.seed}",
                "steps": total,
            }
            facts |= {
                "seconds": time.perf_counter() - begin + (before.seconds if before else 0.0),
                "heads": sorted(state.heads),
                "hardware": self._context.hardware,
                **self._context.micro.note,
                **self._context.step_log.note,
                **({"languages": shown} if shown else {}),
            }
            store.put(segment.signature, tables, facts)
            clear(store, segment.signature)
        return total - (before.step if before else 0)

    def _train_stage(
        self, state: ModelState, segment: IntermediateSegment, on_step: OnStep | None
    ) -> tuple[int, Checkpoint | None, dict[str, dict[str, int]]]:
        """Train in place.

        Returns:
            The segment's number of steps, the snapshot it continued from, if any, and for each task in several languages how
            many examples were shown in each.
        """
        plan, settings, stage = self._plan, self._plan.settings.of_stage(segment.stage), segment.stage
        cards = {name: self._context.suite.card(name) for name in stage.tasks}
        tasks = {name: training_task(card, plan.settings, self._context) for name, card in cards.items()}
        for card in cards.values():
            add_head(state.heads, card, plan, self._context)
        steps = stage_steps(stage, settings.batch_size, seed=plan.seed, mixing=settings.mixing)
        sampling = {name: task.sampling for name, task in tasks.items() if task.sampling is not None}
        items = draw_items(
            steps,
            {name: task.items.lengths for name, task in tasks.items()},
            settings.batch_size,
            seed=plan.seed,
            skip=dict(segment.shown),
            sampling=sampling,
        )
        state.optimizer, before = train_on(
            learner_of(state.model, state.heads, self._context),
            tasks,
            items,
            settings,
            segment.curve,
            segment=segment,
            context=self._context,
            optimizer_state=state.optimizer if segment.carried else {},
            averaged=settings.averaged_steps(len(items)) if segment.averaged else (),
            on_step=on_step,
        )
        shown = {name: one.languages_of(shown_of(items, name)) for name, one in sampling.items()}
        return len(items), before, shown

    def _load(self, state: ModelState, segment: IntermediateSegment) -> bool:
        """Load a stored segment into the state, completely or not at all; return whether it was loaded."""
        store = self._context.store
        if store is None or (found := store.reusable(segment.signature)) is None:
            return False
        names = ("model", "heads", "optimizer") if segment.carries else ("model", "heads")
        try:
            tables = {name: store.tensors(segment.signature, name) for name in names}
        except SegmentDamaged:
            return False
        state.model.load_state_dict(tables["model"], strict=False)
        state.heads.clear()
        for name in found["facts"]["heads"]:
            card = next(card for card in self._context.suite.intermediates if module_name(card.head) == name)
            add_head(state.heads, card, self._plan, self._context)
        state.heads.load_state_dict(tables["heads"])
        state.optimizer, state.signature = tables.get("optimizer", {}), segment.signature
        return True
