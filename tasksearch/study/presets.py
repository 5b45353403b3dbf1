"""Apply a preset (`core.presets`) to the options of a study."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tasksearch.core.errors import ModelUnusable
from tasksearch.core.options import StudyOptions
from tasksearch.core.presets import SUITE, Preset, preset_for, preset_named
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import Overrides, StudyConfig
from tasksearch.core.target_settings import read_per_target
from tasksearch.tasks.suite import Suite

_RATES = ("learning_rate", "intermediate_learning_rate", "target_learning_rate")


def preset_of(asked: StudyOptions, suite: Suite, encoder: str) -> Preset:
    """Return the preset that is named, else the one for the model's family and size.

    A hub id is known by its name, so that no network decides what a study is.
    """
    if asked.preset is not None:
        return preset_named(asked.preset)
    if not has_presets(suite) or not asked.model:
        return preset_named(SUITE)
    return preset_for(asked.model, *family_and_width(asked.model, encoder))


def has_presets(suite: Suite) -> bool:
    """Return whether a preset is chosen in the suite where none is named: in built-in suites of real text.

    A suite file of the user's own states its settings, and the lab has its own model.
    """
    return suite.world != "lab" and not suite.home


def family_and_width(model: str, encoder: str = "") -> tuple[str | None, int]:
    """Return `model_type` and width of a model folder; None and 0 for a hub id, or for a folder that cannot be read."""
    from pathlib import Path

    from tasksearch.models.encoder import shape_of

    if not Path(model).is_dir():
        return None, 0
    try:
        shape = shape_of(model, encoder, weights=False)
    except ModelUnusable:  # told in full when the study is prepared
        return None, 0
    return shape.model_type, shape.width


def with_preset(asked: StudyOptions, preset: Preset, suite: Suite, targets: Sequence[str], space: SearchSpace) -> StudyOptions:
    """Return the options with the preset's values where the user, or the search space, gives none. Pure.

    A rate that is given for both phases stands in place of the preset's for each, and epochs in place of its steps.
    """
    given = asked.given()
    values = {name: value for name, value in preset.options.items() if name not in given}
    if "learning_rate" in given:
        values = {name: value for name, value in values.items() if name not in _RATES}
    if asked.epochs is not None:
        values.pop("target_steps", None)
    if space.grid or asked.from_study is not None:  # its plans are given: nothing chooses between rates
        values |= {name: rates[:1] for name, rates in values.items() if name == "intermediate_learning_rate"}
    if not space.grid:
        values.pop("intermediate_epochs", None)
    lengths = (*space.steps, *space.epochs, *asked.intermediate_epochs)
    of_space = {"steps": lengths, "intermediate_epochs": (*asked.steps, *space.steps, *space.epochs)}
    for name, listed in (of_space | {"intermediate_learning_rate": space.learning_rates}).items():
        if listed:
            values.pop(name, None)
    for_kinds: dict[str, dict[str, Any]] = {}
    for target in targets:
        own = {k: v for k, v in preset.kinds.get(suite.card(target).kind, {}).items() if k not in given}
        if asked.target_steps is not None:
            own.pop("epochs", None)
        if own or target in dict(asked.target):
            for_kinds[target] = own | dict(dict(asked.target).get(target, ()))
    return dataclasses.replace(asked, **values, target=read_per_target(for_kinds))


def without_preset(now: StudyConfig, was: StudyConfig) -> StudyConfig:
    """Return a configuration of today as a version without presets would have made it.

    Args:
        was: the configuration that such a version stored; it says what stood where the preset's values stand now.
    """
    preset = preset_named(now.preset)
    replaced = {
        one.name: getattr(was.overrides, one.name)
        for one in dataclasses.fields(Overrides)
        if (one.name in preset.options and preset.options[one.name] == getattr(now.overrides, one.name))
        or (one.name == "target" and preset.kinds)
    }
    space = now.space
    if space.steps == preset.options.get("steps"):
        space = dataclasses.replace(space, steps=was.space.steps)
    if "intermediate_learning_rate" in preset.options:
        space = dataclasses.replace(space, learning_rates=was.space.learning_rates)
    return dataclasses.replace(now, preset=was.preset, space=space, overrides=dataclasses.replace(now.overrides, **replaced))
