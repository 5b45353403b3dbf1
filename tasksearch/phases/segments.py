"""Plan → chain of segments; pure. A segment's signature is a hash of everything that decides its outcome, its parent's
included. A score table is named by its language as well; the training before it is not: another language trains nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasksearch.core.plan import Plan, TrainSettings
from tasksearch.core.schedule import Stage
from tasksearch.core.signature import signature_of
from tasksearch.phases.lr_segments import lr_segments_of
from tasksearch.training.curves import Curve, StableCurve

NUMERICS = 1
"""Raised by hand whenever a change of this code changes numbers: every stored segment is then named anew."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What decides a segment's outcome beside the plan.

    Attributes:
        model: fingerprint of the phase-1 checkpoint.
        training: task → fingerprint of its training data and of how its card reads them.
        evaluation: (target, language) → fingerprints of its evaluation data and of how its card reads them.
        numerics: library versions, kind of device and thread count.
    """

    model: str
    training: Mapping[str, str]
    evaluation: Mapping[tuple[str, str], tuple[str, ...]]
    numerics: str


@dataclass(frozen=True, kw_only=True)
class IntermediateSegment:
    """One stage of phase 2, or a part of one (`phases.lr_segments`).

    Attributes:
        curve: its learning rates.
        shown: examples of each task that earlier segments have shown.
        carried: whether it goes on with its parent's optimiser.
        carries: whether the optimiser's state goes on to a next segment.
    """

    name: str
    parent: str
    signature: str
    stage: Stage
    curve: Curve | StableCurve
    shown: tuple[tuple[str, int], ...]
    carried: bool
    carries: bool


@dataclass(frozen=True, kw_only=True)
class TargetSegment:
    """Phase 3 of one target. Which languages it is scored in decides nothing of it; a retrieval target trains nothing.

    Attributes:
        signature: of the training alone.
        tables: language → signature of its score table, whose parent this segment is.
        trained: whether there is a training.
    """

    name: str
    parent: str
    signature: str
    target: str
    tables: tuple[tuple[str, str], ...]
    trained: bool

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that it is scored in."""
        return tuple(language for language, _ in self.tables)

    @property
    def signatures(self) -> tuple[str, ...]:
        """Everything of it that a store may hold."""
        return (self.signature, *(signature for _, signature in self.tables))


def segments_of(
    plan: Plan, around: Surroundings, *, languages_of: Mapping[str, tuple[str, ...]], trained: Mapping[str, bool], shown_by: Any
) -> tuple[tuple[IntermediateSegment, ...], tuple[TargetSegment, ...]]:
    """Unfolds a plan.

    Args:
        languages_of: target → languages of the plan that it is scored in.
        trained: target → whether it has a phase 3.
        shown_by: (stage, batch size) → examples per task; `training.order.stage_counts`.
    """
    chain = _intermediate(plan, around, shown_by)
    parent = chain[-1].signature if chain else root_signature(around)
    targets = tuple(_target(plan, around, parent, t, languages_of[t], trained=trained[t]) for t in plan.targets)
    return chain, targets


def root_signature(around: Surroundings) -> str:
    """Phase 1: the pretrained checkpoint."""
    return signature_of("root", around.model)


def _intermediate(plan: Plan, around: Surroundings, shown_by: Any) -> tuple[IntermediateSegment, ...]:
    settings = plan.settings.intermediate
    parent, shown = root_signature(around), dict[str, int]()
    chain = []
    for number, piece in enumerate(lr_segments_of(plan.schedule, settings)):
        stage = piece.stage
        recipe = {
            "stage": stage,
            "settings": _training_only(settings),
            "features": plan.settings.features,
            "data": {task: around.training[task] for task in stage.tasks},
            "seed": plan.seed,
            "numerics": [NUMERICS, around.numerics],
        }
        own = {task: length for task, length in plan.settings.intermediate_lengths if task in stage.tasks}
        signature = signature_of("intermediate", parent, recipe | piece.recipe() | ({"lengths": own} if own else {}))
        chain.append(
            IntermediateSegment(
                name=f"intermediate/{number}",
                parent=parent,
                signature=signature,
                stage=stage,
                curve=piece.curve,
                shown=tuple(sorted(shown.items())),
                carried=piece.carried,
                carries=piece.carries,
            )
        )
        for task, count in shown_by(stage, settings.batch_size).items():
            shown[task] = shown.get(task, 0) + count
        parent = signature
    return tuple(chain)


def _target(
    plan: Plan, around: Surroundings, parent: str, target: str, languages: tuple[str, ...], *, trained: bool
) -> TargetSegment:
    numerics = [NUMERICS, around.numerics]
    recipe: dict[str, Any] = {"target": target, "numerics": numerics}
    scored: dict[str, Any] = {"numerics": numerics}
    if trained:
        recipe |= {
            "settings": plan.settings.for_target(target),
            "features": plan.settings.features,
            "head": plan.settings.head,
            "data": around.training[target],
            "seed": plan.seed,
        }
        recipe |= {"extra": plan.extra_examples} if plan.extra_examples else {}
    else:
        untrained = plan.settings.untrained
        scored |= {"retrieval": plan.settings.retrieval, "precision": untrained.precision, "max_length": untrained.max_length}
    signature = signature_of("target", parent, recipe)
    tables = tuple(
        (language, signature_of("scores", signature, language, around.evaluation[target, language], scored))
        for language in languages
    )
    return TargetSegment(
        name=f"target/{target}", parent=parent, signature=signature, target=target, tables=tables, trained=trained
    )


def _training_only(settings: TrainSettings) -> TrainSettings:
    """Phase-2 settings without what only a target phase reads, or what the pieces say of a `wsd` curve: none of it may change
    a name.
    """
    plain = dataclasses.replace(settings, steps=None, epochs=None, train_examples=None, curve="linear", rung=None, decay=0.1)
    return plain if settings.curve == "linear" else dataclasses.replace(plain, warmup=0.0)
