"""From a suite's settings to a study's: with the user's overrides, and limited to what the model supports."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasksearch.core.errors import BadInput, ModelUnusable
from tasksearch.core.methods import Phase, methods_of
from tasksearch.core.options import StudyOptions, control_names
from tasksearch.core.plan import PhaseSettings, RetrievalSettings, TrainSettings
from tasksearch.core.study import ALL_LANGUAGES, AUTO_LAYER, LEADER_SEEDS_ONCE, Overrides, StudyConfig
from tasksearch.core.target_settings import PerTarget, with_own
from tasksearch.search.matched_pairs import default_pairs
from tasksearch.study.folder_notes import keep_note, note_of
from tasksearch.study.own_parts import unseeded_note
from tasksearch.study.presets import without_preset
from tasksearch.study.pretraining_text import pretraining_text, unchecked_note
from tasksearch.study.told_apart import mistaken_note
from tasksearch.tasks.suite import Suite
from tasksearch.tracking.address import kept as kept_address

if TYPE_CHECKING:
    from tasksearch.models.encoder import Shape


def as_begun(now: StudyConfig, was: StudyConfig, absent: Collection[str]) -> StudyConfig:
    """Read a repeated command as the version that began the study would have read it. Pure.

    Args:
        now: configuration that the command gives today.
        was: configuration in the study's folder.
        absent: fields that its `study.json` lacks because they did not exist then. If the command leaves such a field at its
            default, the study keeps its value; any other value differs from it.
    """
    today = StudyOptions()
    said: dict[str, object] = {"controls": control_names(today.controls), "most_seeds": today.most_seeds}
    said["pairs"] = default_pairs(now.space, now.trials, now.baseline_seeds)
    said["guesses"] = now.guesses
    fields = {one.name: said.get(one.name, one.default) for one in dataclasses.fields(StudyConfig)}
    taken = {name for name in absent if getattr(now, name) == fields[name]}
    if "controls" in absent and (was.leader_seeds, now.leader_seeds) == (LEADER_SEEDS_ONCE, today.leader_seeds):
        taken |= {"leader_seeds"} | ({"most_seeds"} if now.most_seeds == today.most_seeds else set())
    if now.space.rules:  # read from the data when the study began
        now = dataclasses.replace(now, space=dataclasses.replace(now.space, sizes=was.space.sizes))
    if "preset" in absent:
        now = without_preset(now, was)
    overrides = dataclasses.replace(now.overrides, every_target=was.overrides.every_target)
    if overrides.retrieval_layer == was.overrides.retrieval_layer:
        overrides = dataclasses.replace(overrides, auto_layers=was.overrides.auto_layers)
    if overrides.retrieval_prefix is None or not (overrides.retrieval_prefix or was.overrides.retrieval_prefix):
        overrides = dataclasses.replace(overrides, retrieval_prefix=was.overrides.retrieval_prefix)
    # earlier versions stored the address with its password
    if was.tracking_uri is not None and kept_address(was.tracking_uri) == now.tracking_uri:
        taken |= {"tracking_uri"}
    return dataclasses.replace(now, overrides=overrides, **{name: getattr(was, name) for name in taken})


RETRIEVAL_DEPTH = 14 / 24
"""jiant pools layer 14 of XLM-R Large's 24 for retrieval; for a smaller model the layer at the same relative depth is used."""


def settings_of(suite: Suite, config: StudyConfig, shape: Shape | None) -> PhaseSettings:
    """Return the settings of all plans of the study.

    Args:
        suite: the suite with its own settings.
        config: the study's configuration with the user's overrides.
        shape: of the model, which limits lengths and layers; None: assumed to be large enough.

    Raises:
        BadInput: a value that a setting does not take, or a layer that the model does not have.
    """
    asked, base = config.overrides, suite.settings
    both = _given(asked, "learning_rate", "precision", "batch_size", "warmup", "max_length", "head_lr_factor", "average_every")
    of_space = {"learning_rate": config.space.learning_rates[0]} if config.space.learning_rates else {}
    intermediate = {**both, **of_space}
    intermediate |= _given(asked, learning_rate="intermediate_learning_rate", average_last="intermediate_average")
    target = {**both, **_given(asked, *_TARGET_ALONE, learning_rate="target_learning_rate", steps="target_steps")}
    target |= _given(asked, average_last="target_average")
    if asked.epochs is not None:
        target |= {"epochs": asked.epochs, "steps": None}
    own = _reached(base.target_overrides, target) if asked.every_target else base.target_overrides
    curve: dict[str, Any] = {"curve": config.space.curve, "rung": config.space.rung, "decay": config.space.decay}
    policy: dict[str, Any] = {"lr_policy": config.lr_policy, "mixing": config.mixing}
    settings = dataclasses.replace(
        base,
        intermediate=dataclasses.replace(
            base.intermediate, **policy, **intermediate, **curve, **_methods(asked, "intermediate")
        ),
        intermediate_lengths=base.intermediate_lengths if asked.max_length is None else (),
        target=dataclasses.replace(base.target, **target, **_methods(asked, "target")),
        target_overrides=with_own(with_own(own, asked.target), asked.joined),
        retrieval=_retrieval(base.retrieval, asked, shape),
        evaluation_examples=asked.evaluation_examples,
        few_shot=config.few_shot,
        **_given(asked, "features", "head", "language_exponent"),
    )
    return settings if shape is None else _shortened(settings, shape.tokens)


def settled_precision(asked: str | None, model: str | None, encoder: str = "") -> str | None:
    """Return a precision as asked for, with `auto` decided by this machine's device and the model's width.

    A study keeps what was decided, so that it goes on in the same precision wherever it is resumed.

    Args:
        model: hub id or folder; None: the lab's own, which is too narrow for bf16 to pay.

    Raises:
        ModelUnusable: the model's configuration cannot be read.
    """
    if asked != "auto":
        return asked
    from tasksearch.forward.device import automatic_precision, pick_device
    from tasksearch.models.encoder import shape_of

    return automatic_precision(shape_of(model, encoder).width if model else 0, pick_device())


def with_stated_prefix(config: StudyConfig) -> StudyConfig:
    """Return a new study's configuration with the prefix that the model's files state, where the user says nothing of it.

    A study keeps what it began with, so that other files later change nothing of it.

    Raises:
        ModelUnusable: the files state a prefix that cannot be followed.
    """
    from tasksearch.models.stated_reading import stated_reading

    if config.model == "lab" or config.overrides.retrieval_prefix is not None:
        return config
    prefix = stated_reading(config.model).prefix or None
    return dataclasses.replace(config, overrides=dataclasses.replace(config.overrides, retrieval_prefix=prefix))


def states_a_prefix_that_it_lacks(config: StudyConfig) -> bool:
    """Return whether a new study with the same options would read a prefix that the model states and this study does not read.

    So does one begun before prefixes were read, or before its model's files stated one. Reads only files on this machine.
    """
    if config.model == "lab" or config.overrides.retrieval_prefix is not None:
        return False
    from tasksearch.models.stated_reading import stated_reading

    try:
        return bool(stated_reading(config.model, at_hand=True).prefix)
    except ModelUnusable:  # a new study would ask for the prefix
        return True


_TARGET_ALONE = ("train_examples", "early_stopping", "patience")
"""Overrides of target phases that go by the setting's own name."""
FOR_TARGETS = (
    "learning_rate", "target_learning_rate", "target_steps", "epochs", "train_examples", "batch_size", "warmup", "max_length",
    "head_lr_factor", "early_stopping", "patience",
    "target_average", "average_every",
)  # fmt: skip
"""Overrides of settings that a suite may also set for single targets."""


def _reached(own: PerTarget, asked: Mapping[str, Any]) -> PerTarget:
    """Return the suite's settings for single targets, without those that the user sets for all targets.

    Of two limits on the number of training examples the smaller one holds.
    """
    return tuple((target, tuple(kept)) for target, changes in own if (kept := _left(changes, asked)))


def _left(changes: Sequence[tuple[str, Any]], asked: Mapping[str, Any]) -> list[tuple[str, Any]]:
    kept = []
    for name, value in changes:
        if name not in asked:
            kept.append((name, value))
        elif name == "train_examples":
            kept.append((name, min(value, asked[name])))
    return kept


def _given(asked: Overrides, *same: str, **renamed: str) -> dict[str, Any]:
    """Return setting → value for the overrides that are set; `renamed`: setting → name of the override."""
    names = dict(zip(same, same, strict=True)) | renamed
    return {setting: value for setting, name in names.items() if (value := getattr(asked, name)) is not None}


def _methods(asked: Overrides, phase: Phase) -> dict[str, Any]:
    return {"methods": found} if (found := methods_of(asked.methods, phase)) else {}


def _retrieval(base: RetrievalSettings, asked: Overrides, shape: Shape | None) -> RetrievalSettings:
    base = dataclasses.replace(base, **_given(asked, pooling="retrieval_pooling", prefix="retrieval_prefix"))
    if asked.max_length is not None:
        base = dataclasses.replace(base, max_length=None)  # None: the same length as in the intermediate phase
    if asked.retrieval_layer == AUTO_LAYER:
        found = dict(asked.auto_layers)
        if ALL_LANGUAGES in found:
            return dataclasses.replace(base, layer=found.pop(ALL_LANGUAGES), layers=tuple(sorted(found.items())))
    elif asked.retrieval_layer is not None:
        if shape is not None and not -shape.layers - 1 <= int(asked.retrieval_layer) <= shape.layers:
            raise BadInput(f"retrieval layer {asked.retrieval_layer}; the model has layers 0 (embeddings) to {shape.layers}")
        return dataclasses.replace(base, layer=int(asked.retrieval_layer))
    if shape is not None and base.layer > shape.layers:
        return dataclasses.replace(base, layer=max(1, round(RETRIEVAL_DEPTH * shape.layers)))
    return base


def _shortened(settings: PhaseSettings, tokens: int) -> PhaseSettings:
    """Return the settings with no sequence longer than the model has positions for."""

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
    """Note which bad records were skipped, by task, language and split, if there are any."""
    keep_note(folder / _SKIPPED, {place: list(told) for place, told in sorted(skipped.items())})


def skipped_note(folder: Path) -> str:
    """Return how many bad records the study skipped, as a sentence; empty if none."""
    return note_of(folder / _SKIPPED, _skipped_words)


def layers_note(config: StudyConfig) -> str:
    """Return which layers `--retrieval-layer auto` chose, as a sentence; empty where it was not asked for."""
    found = dict(config.overrides.auto_layers)
    if ALL_LANGUAGES not in found:
        return ""
    first = found.pop(ALL_LANGUAGES)
    apart = "".join(f", {language} {layer}" for language, layer in sorted(found.items()))
    return f"retrieval reads hidden layer {first}{apart}: best on the pretrained model by other languages' selection examples"


def prefix_note(config: StudyConfig) -> str:
    """Return the text that retrieval reads before every sentence, as a sentence; empty where there is none."""
    prefix = config.overrides.retrieval_prefix
    return f"retrieval reads {prefix!r} before every sentence" if prefix else ""


def _skipped_words(skipped: Mapping[str, Sequence[str]]) -> str:
    count = sum(len(told) for told in skipped.values())
    return f"{count} bad records were passed over by --skip-bad, in {', '.join(skipped)} (listed in {_SKIPPED})"


SHUFFLED = "labels of all intermediate tasks are shuffled: nothing can be learnt from them"


def warning_of(suite: Suite, config: StudyConfig, folder: Path | None = None) -> str:
    """Return the text shown beside every number of the study: warnings and limits of the suite, its targets and the study."""
    notes: dict[str, list[str]] = {}
    for name in config.targets:
        if note := suite.card(name).note:
            notes.setdefault(note, []).append(name)
    parts = [suite.warning] if suite.warning else []
    parts += [SHUFFLED] if dict(config.suite_options).get("shuffled_labels") else []
    parts += [f"{config.space.name} without {', '.join(gone)}, which are not there"] if (gone := config.space.left_out) else []
    parts += [f"{', '.join(names)}: {note}" for note, names in notes.items()]
    if (cap := config.overrides.evaluation_examples) is not None:
        parts.append(f"capped: at most {cap} examples of each language and half were scored, no published number")
    parts += [note] if (note := unseeded_note(config)) else []
    parts += [note for note in (prefix_note(config), layers_note(config)) if note]
    unchecked = str(pretraining_text(config)) if folder is None else unchecked_note(folder)
    parts += [unchecked] if unchecked else []
    parts += [note] if folder is not None and (note := skipped_note(folder)) else []
    parts += [note] if folder is not None and (note := mistaken_note(suite, config, folder)) else []
    return "; ".join(parts)
