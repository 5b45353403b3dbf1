"""From a suite's settings to a study's: what was overridden, and what the model is too small for."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasksearch.core.errors import BadInput
from tasksearch.core.options import StudyOptions, control_names
from tasksearch.core.plan import PhaseSettings, RetrievalSettings, TrainSettings
from tasksearch.core.study import LEADER_SEEDS_ONCE, Overrides, StudyConfig
from tasksearch.core.target_settings import PerTarget
from tasksearch.study.folder_notes import keep_note, note_of
from tasksearch.study.own_parts import unseeded_note
from tasksearch.study.pretraining_text import pretraining_text, unchecked_note
from tasksearch.tasks.suite import Suite
from tasksearch.tracking.address import kept as kept_address

if TYPE_CHECKING:
    from tasksearch.models.encoder import Shape


def as_begun(now: StudyConfig, was: StudyConfig, absent: Collection[str]) -> StudyConfig:
    """A command that is given again, read as by the version that began the study; pure.

    Args:
        now: what the command asks for today.
        was: the study as it stands in its folder.
        absent: fields that its `study.json` lacks, since there were none of them then. A default of one is no wish: the study
            stays as it is. Any other value is, and differs.
    """
    today = StudyOptions()
    said = {"controls": control_names(today.controls), "most_seeds": today.most_seeds}
    fields = {one.name: said.get(one.name, one.default) for one in dataclasses.fields(StudyConfig)}
    taken = {name for name in absent if getattr(now, name) == fields[name]}
    if "controls" in absent and (was.leader_seeds, now.leader_seeds) == (LEADER_SEEDS_ONCE, today.leader_seeds):
        taken |= {"leader_seeds"} | ({"most_seeds"} if now.most_seeds == today.most_seeds else set())
    overrides = dataclasses.replace(now.overrides, every_target=was.overrides.every_target)
    if was.tracking_uri is not None and kept_address(was.tracking_uri) == now.tracking_uri:  # of old with a password
        taken |= {"tracking_uri"}
    return dataclasses.replace(now, overrides=overrides, **{name: getattr(was, name) for name in taken})


RETRIEVAL_DEPTH = 14 / 24
"""jiant pools XLM-R Large's block 14 of 24 for retrieval; a smaller model's layer at the same depth."""


def settings_of(suite: Suite, config: StudyConfig, shape: Shape | None) -> PhaseSettings:
    """Settings of every plan of the study.

    Args:
        shape: of the model, which caps lengths and layers; None: taken to be large enough.

    Raises:
        BadInput: a value that no setting takes, or a layer that the model has not.
    """
    asked, base = config.overrides, suite.settings
    both = _given(asked, "learning_rate", "precision", "batch_size", "warmup", "max_length")
    intermediate = {**both, **_given(asked, learning_rate="intermediate_learning_rate")}
    target = {**both, **_given(asked, "train_examples", learning_rate="target_learning_rate", steps="target_steps")}
    if asked.epochs is not None:
        target |= {"epochs": asked.epochs, "steps": None}
    own = _reached(base.target_overrides, target) if asked.every_target else base.target_overrides
    curve: dict[str, Any] = {"curve": config.space.curve, "rung": config.space.rung, "decay": config.space.decay}
    policy: dict[str, Any] = {"lr_policy": config.lr_policy, "mixing": config.mixing}
    settings = dataclasses.replace(
        base,
        intermediate=dataclasses.replace(base.intermediate, **policy, **intermediate, **curve),
        intermediate_lengths=base.intermediate_lengths if asked.max_length is None else (),
        target=dataclasses.replace(base.target, **target),
        target_overrides=_with_own(own, asked.target),
        retrieval=_retrieval(base.retrieval, asked, shape),
        evaluation_examples=asked.evaluation_examples,
        **_given(asked, "features", "head"),
    )
    return settings if shape is None else _shortened(settings, shape.tokens)


FOR_TARGETS = (
    "learning_rate", "target_learning_rate", "target_steps", "epochs", "train_examples", "batch_size", "warmup", "max_length",
)  # fmt: skip
"""Overrides that single targets of a suite may have settings of their own for."""


def _reached(own: PerTarget, asked: Mapping[str, Any]) -> PerTarget:
    """Single targets' settings where the user's go before the suite's; of examples, of which there are at most so many, the
    fewer hold.
    """
    return tuple((target, tuple(kept)) for target, changes in own if (kept := _left(changes, asked)))


def _with_own(own: PerTarget, asked: PerTarget) -> PerTarget:
    """Single targets' settings under what the user asks for those very targets: it goes before everything else."""
    merged = {target: dict(changes) for target, changes in own}
    for target, changes in asked:
        wanted = dict(changes)
        if "epochs" in wanted:
            wanted.setdefault("steps", None)  # steps would go before epochs
        merged[target] = merged.get(target, {}) | wanted
    return tuple((target, tuple(changes.items())) for target, changes in merged.items())


def _left(changes: Sequence[tuple[str, Any]], asked: Mapping[str, Any]) -> list[tuple[str, Any]]:
    kept = []
    for name, value in changes:
        if name not in asked:
            kept.append((name, value))
        elif name == "train_examples":
            kept.append((name, min(value, asked[name])))
    return kept


def _given(asked: Overrides, *same: str, **renamed: str) -> dict[str, Any]:
    """Setting → value of what is asked for; `renamed`: setting → name of the override."""
    names = dict(zip(same, same, strict=True)) | renamed
    return {setting: value for setting, name in names.items() if (value := getattr(asked, name)) is not None}


def _retrieval(base: RetrievalSettings, asked: Overrides, shape: Shape | None) -> RetrievalSettings:
    if asked.max_length is not None:
        base = dataclasses.replace(base, max_length=None)  # as in the intermediate phase
    if asked.retrieval_layer is not None:
        if shape is not None and not -shape.layers - 1 <= asked.retrieval_layer <= shape.layers:
            raise BadInput(f"retrieval layer {asked.retrieval_layer}; the model has layers 0 (embeddings) to {shape.layers}")
        return dataclasses.replace(base, layer=asked.retrieval_layer)
    if shape is not None and base.layer > shape.layers:
        return dataclasses.replace(base, layer=max(1, round(RETRIEVAL_DEPTH * shape.layers)))
    return base


def _shortened(settings: PhaseSettings, tokens: int) -> PhaseSettings:
    """No sequence is longer than the model has positions for."""

    def fit(train: TrainSettings) -> TrainSettings:
        return dataclasses.replace(train, max_length=min(train.max_length, tokens))

    overrides = tuple(
        (name, tuple((key, min(value, tokens) if key == "max_length" else value) for key, value in changes))
        for name, changes in settings.target_overrides
    )
    length = settings.retrieval.max_length
    return dataclasses.replace(
        settings,
        intermediate=fit(settings.intermediate),
        intermediate_lengths=tuple((name, min(own, tokens)) for name, own in settings.intermediate_lengths),
        target=fit(settings.target),
        target_overrides=overrides,
        retrieval=dataclasses.replace(settings.retrieval, max_length=None if length is None else min(length, tokens)),
    )


_SKIPPED = "skipped.json"


def keep_skipped(folder: Path, skipped: Mapping[str, Sequence[str]]) -> None:
    """Writes which bad records were passed over, by task, language and split, where there are any."""
    keep_note(folder / _SKIPPED, {place: list(told) for place, told in sorted(skipped.items())})


def skipped_note(folder: Path) -> str:
    """How many bad records the study passed over; empty where none."""
    return note_of(folder / _SKIPPED, _skipped_words)


def _skipped_words(skipped: Mapping[str, Sequence[str]]) -> str:
    count = sum(len(told) for told in skipped.values())
    return f"{count} bad records were passed over by --skip-bad, in {', '.join(skipped)} (listed in {_SKIPPED})"


SHUFFLED = "labels of all intermediate tasks are shuffled: nothing can be learnt from them"


def warning_of(suite: Suite, config: StudyConfig, folder: Path | None = None) -> str:
    """What stands beside every number of the study: the suite's sentence, its targets' limits, the study's own caps."""
    notes: dict[str, list[str]] = {}
    for name in config.targets:
        if note := suite.card(name).note:
            notes.setdefault(note, []).append(name)
    parts = [suite.warning] if suite.warning else []
    parts += [SHUFFLED] if dict(config.suite_options).get("shuffled_labels") else []
    parts += [f"{', '.join(names)}: {note}" for note, names in notes.items()]
    if (cap := config.overrides.evaluation_examples) is not None:
        parts.append(f"capped: at most {cap} examples of each language and half were scored, no published number")
    parts += [note] if (note := unseeded_note(config)) else []
    unchecked = str(pretraining_text(config)) if folder is None else unchecked_note(folder)
    parts += [unchecked] if unchecked else []
    parts += [note] if folder is not None and (note := skipped_note(folder)) else []
    return "; ".join(parts)
