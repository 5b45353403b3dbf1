"""Unfold a plan into its chain of segments; pure functions.

A segment's signature is a hash of everything that determines its outcome, including its parent's signature. A score table's
signature also includes its language; the training before it does not, so another language trains nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasksearch.core.methods import Substitution, read_method, with_contents
from tasksearch.core.mixture import base_task
from tasksearch.core.plan import FEW_SHOT_DRAWS, Plan, TrainSettings
from tasksearch.core.schedule import Stage
from tasksearch.core.signature import signature_of
from tasksearch.phases.lr_segments import lr_segments_of
from tasksearch.training.curves import Curve, StableCurve

NUMERICS = 2
"""Raised by hand whenever a change of this code changes numbers: every segment then gets a new signature."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Everything besides the plan that determines a segment's outcome.

    Attributes:
        model: fingerprint of the phase-1 checkpoint.
        training: intermediate task → fingerprint of its training data and of how its card reads them.
        recipes: trained target → hash of its English training data, kind and labels, whatever the target is called. Targets of
            equal recipes and settings are trained once.
        evaluation: (target, language) → fingerprints of its evaluation data and of how its card reads them.
        numerics: library versions, kind of device and thread count.
        contents: path of a file that a training method reads → hash of its content.
        kinds: task or target → its kind, where training methods are used.
        few_shot: (target, language) pairs that have labelled examples set aside.
        english_dev: target whose phase stops early → fingerprints of the English selection examples that it is scored on.
    """

    model: str
    training: Mapping[str, str]
    recipes: Mapping[str, str]
    evaluation: Mapping[tuple[str, str], tuple[str, ...]]
    numerics: str
    contents: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    few_shot: frozenset[tuple[str, str]] = frozenset()
    english_dev: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class IntermediateSegment:
    """One stage of phase 2, or a part of one (`phases.lr_segments`).

    Attributes:
        curve: learning-rate curve, positioned at the segment's first step.
        shown: (task, examples that earlier segments have shown).
        carried: whether it continues with its parent's optimiser state.
        carries: whether the next segment continues with this one's optimiser state.
        averaged: whether the weights of its last snapshots are averaged: of the last segment of a phase alone.
    """

    name: str
    parent: str
    signature: str
    stage: Stage
    curve: Curve | StableCurve
    shown: tuple[tuple[str, int], ...]
    carried: bool
    carries: bool
    averaged: bool = False


@dataclass(frozen=True, kw_only=True)
class TargetSegment:
    """Phase 3 of one target. The languages that it is scored in do not affect it; a retrieval target trains nothing.

    Attributes:
        signature: signature of the training alone; equal for targets that share it.
        recipe: hash of data, kind and labels (`Surroundings.recipes`), by which head and order of examples are drawn; empty
            where there is no training.
        tables: (language, signature of its score table); this segment is the table's parent.
        trained: whether there is a training.
        continued: (language, signature of the training that continues this one on examples of the language), for the languages
            that have some; the parent of that language's score table. Of a few-shot plan alone.
    """

    name: str
    parent: str
    signature: str
    target: str
    recipe: str
    tables: tuple[tuple[str, str], ...]
    trained: bool
    continued: tuple[tuple[str, str], ...] = ()

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages in which the target is scored."""
        return tuple(language for language, _ in self.tables)

    @property
    def signatures(self) -> tuple[str, ...]:
        """Signatures of all training and of all score tables."""
        return (*self.training, *(signature for _, signature in self.tables))

    @property
    def training(self) -> tuple[str, ...]:
        """Signatures of the training and of what continues it."""
        return (self.signature, *(signature for _, signature in self.continued))


def segments_of(
    plan: Plan, around: Surroundings, *, languages_of: Mapping[str, tuple[str, ...]], trained: Mapping[str, bool], shown_by: Any
) -> tuple[tuple[IntermediateSegment, ...], tuple[TargetSegment, ...]]:
    """Unfold a plan into intermediate and target segments.

    Args:
        languages_of: target → languages of the plan in which it is scored.
        trained: target → whether it has a phase 3.
        shown_by: (stage, batch size) → examples per task; `training.order.stage_counts`.
    """
    chain = _intermediate(plan, around, shown_by)
    parent = chain[-1].signature if chain else root_signature(around)
    targets = tuple(_target(plan, around, parent, t, languages_of[t], trained=trained[t]) for t in plan.targets)
    return chain, targets


def score_file_of(plan: Plan, chain: Sequence[IntermediateSegment], root: str) -> str:
    """Return the name of the file with all score tables of a trial: one per state after phase 2, seed and extra examples.

    Targets, languages and settings do not enter it, so that what is added later stands beside what was there.
    """
    return signature_of("score file", chain[-1].signature if chain else root, plan.seed, plan.extra_examples)


def root_signature(around: Surroundings) -> str:
    """Return the signature of the pretrained checkpoint (phase 1)."""
    return signature_of("root", around.model)


def _intermediate(plan: Plan, around: Surroundings, shown_by: Any) -> tuple[IntermediateSegment, ...]:
    settings = plan.settings.intermediate
    parent, shown = root_signature(around), dict[str, int]()
    chain = []
    pieces = lr_segments_of(plan.schedule, settings)
    for number, piece in enumerate(pieces):
        stage = piece.stage
        recipe = {
            "stage": dataclasses.replace(stage, learning_rate=None, methods=()),  # they stand in the settings, searched or not
            "settings": _training_only(_deciding(plan.settings.of_stage(stage), around, stage.tasks)),
            "features": plan.settings.features,
            "data": {task: around.training[task] for task in stage.tasks},
            "seed": plan.seed,
            "numerics": [NUMERICS, around.numerics],
        }
        known = {task for task, _ in plan.settings.intermediate_lengths}
        own = {task: plan.settings.length_of(task) for task in stage.tasks if base_task(task) in known}
        recipe |= piece.recipe() | ({"lengths": own} if own else {})
        averaged = settings.average_last > 1 and number == len(pieces) - 1
        recipe |= {"average": [settings.average_last, settings.average_every]} if averaged else {}
        signature = signature_of("intermediate", parent, recipe)
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
                averaged=averaged,
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
    recipe: dict[str, Any] = {"numerics": numerics} if trained else {"target": target, "numerics": numerics}
    if trained:
        recipe |= {
            "settings": _deciding(plan.for_target(target), around, (target,)),
            "features": plan.settings.features,
            "head": plan.settings.head,
            "data": around.recipes[target],
            "seed": plan.seed,
        }
        recipe |= {"head seed": plan.head_seed} if plan.head_seed not in (None, plan.seed) else {}
        recipe |= {"windows": "of all examples"} if _draws_windows(plan.for_target(target), around.kinds.get(target)) else {}
        recipe |= {"extra": plan.extra_examples} if plan.extra_examples else {}
        recipe |= {"english dev": around.english_dev[target]} if target in around.english_dev else {}

    signature = signature_of("target", parent, recipe)
    shots = plan.for_target(target).few_shot(plan.settings.few_shot) if plan.few_shot else None
    continued = {
        language: signature_of("few-shot", signature, language, around.evaluation[target, language], shots, few_shot_draw(plan))
        for language in languages
        if shots is not None and (target, language) in around.few_shot
    }

    return TargetSegment(
        name=f"target/{target}",
        parent=parent,
        signature=signature,
        target=target,
        recipe=around.recipes[target] if trained else "",
        tables=tuple(
            (language, _table(continued.get(language, signature), plan, around, target, language, trained=trained))
            for language in languages
        ),
        trained=trained,
        continued=tuple(continued.items()),
    )


def _table(model: str, plan: Plan, around: Surroundings, target: str, language: str, *, trained: bool) -> str:
    """Return the signature of a target's score table in one language, of the model of that signature."""
    retrieval, untrained = plan.settings.retrieval, plan.settings.untrained
    how = {"retrieval": retrieval.of(language), "precision": untrained.precision, "max_length": untrained.max_length}
    scored = {"numerics": [NUMERICS, around.numerics]} | ({} if trained else how)
    return signature_of("scores", model, target, language, around.evaluation[target, language], scored)


def averaged_target(plan: Plan, around: Surroundings, members: Sequence[TargetSegment]) -> TargetSegment:
    """Return the segment of a target whose model is the mean of those of other segments."""
    first, signature = members[0], signature_of("average of target models", [member.signature for member in members])
    tables = tuple(
        (language, _table(signature, plan, around, first.target, language, trained=first.trained))
        for language in first.languages
    )
    return dataclasses.replace(first, parent=signature, signature=signature, tables=tables)


def few_shot_draw(plan: Plan) -> int:
    """Return which draw of examples the plan's seed is trained on: seeds that follow each other have different ones."""
    return plan.seed % FEW_SHOT_DRAWS


def trained_together(targets: Sequence[TargetSegment]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of two or more targets that one training serves, each sorted by name.

    Their scores differ by evaluation data alone: a seed of such a group is one draw of a training, not one per target.
    """
    groups: dict[str, list[str]] = {}
    for segment in targets:
        if segment.trained:
            groups.setdefault(segment.signature, []).append(segment.target)
    return tuple(tuple(sorted(names)) for names in groups.values() if len(names) > 1)


def _draws_windows(settings: TrainSettings, kind: str | None) -> bool:
    """Whether synonyms are drawn for a part of the windows of tagged sentences, which an earlier version mistook for others."""
    cut = kind == "tagging" and settings.train_examples is not None
    return cut and any(isinstance(read_method(text), Substitution) for text in settings.methods)


def _deciding(settings: TrainSettings, around: Surroundings, names: Sequence[str]) -> TrainSettings:
    """Return settings with those methods that change the training of these tasks, and with their files' content for paths."""
    if not settings.methods:
        return settings
    kinds = [around.kinds[name] for name in names]
    return dataclasses.replace(settings, methods=with_contents(settings.methods, around.contents, kinds))


def _training_only(settings: TrainSettings) -> TrainSettings:
    """Return phase-2 settings reset to defaults where they must not affect the signature.

    These are fields that only a target phase reads, and fields of a `wsd` curve and of averaging that each segment's own recipe
    already states.
    """
    targets_alone: dict[str, Any] = {
        "steps": None,
        "epochs": None,
        "train_examples": None,
        "early_stopping": None,
        "patience": 5,
    }
    plain = dataclasses.replace(settings, **targets_alone, curve="linear", rung=None, decay=0.1, average_last=1)
    return plain if settings.curve == "linear" else dataclasses.replace(plain, warmup=0.0)
