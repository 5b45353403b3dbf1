"""Settings of single targets as a user gives them: `{"nli": {"batch_size": 16}}`, `[target.nli]`, or `nli.batch_size=16`."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.plan import TrainSettings

PerTarget = tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]
"""((target, ((setting, value), …)), …), targets and settings sorted."""

_NOT_OF_A_TARGET = ("lr_policy", "mixing", "curve", "rung", "decay", "methods")
SETTINGS = tuple(f.name for f in dataclasses.fields(TrainSettings) if f.name not in _NOT_OF_A_TARGET)
"""Fields of `TrainSettings` that may be set for a single target."""


def read_per_target(given: Any) -> PerTarget:
    """Parse and check settings of single targets.

    Args:
        given: a mapping of mappings, pairs of pairs, or texts such as `nli.batch_size=16`.

    Raises:
        BadInput: the form is none of these, or a setting does not accept the value.
        UnknownName: there is no such setting.
    """
    found: dict[str, dict[str, Any]] = {}
    for target, setting, value in _triples(given):
        if setting not in SETTINGS:
            raise UnknownName(f"setting of target {target!r}", setting, SETTINGS)
        found.setdefault(target, {})[setting] = _value(target, setting, value)
    return tuple((target, tuple(sorted(own.items()))) for target, own in sorted(found.items()))


def with_own(own: PerTarget, asked: PerTarget) -> PerTarget:
    """Return settings of single targets with those asked for the same targets, which take precedence; new targets last."""
    merged = {target: dict(changes) for target, changes in own}
    for target, changes in asked:
        wanted = dict(changes)
        if "epochs" in wanted:
            wanted.setdefault("steps", None)  # steps would take precedence over epochs
        merged[target] = merged.get(target, {}) | wanted
    return tuple((target, tuple(changes.items())) for target, changes in merged.items())


def told_per_target(settings: PerTarget) -> list[str]:
    """Format settings as text: `["nli.batch_size=16"]`."""
    return [f"{target}.{name}={value}" for target, own in settings for name, value in own]


def _triples(given: Any) -> Iterable[tuple[str, str, Any]]:
    wish = "expected settings of single targets, such as --set nli.batch_size=16 or a table [target.nli] with batch_size = 16"
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise BadInput(f"target is {given!r}; {wish}; targets to be scored are named by `targets`")
    for one in given.items() if isinstance(given, Mapping) else given:
        if isinstance(one, str):
            place, equals, text = one.partition("=")
            target, dot, setting = place.partition(".")
            if not (equals and dot and target):
                raise BadInput(f"--set {one!r}; {wish}")
            yield target.strip(), setting.strip(), _parsed(text.strip())
            continue
        target, own = one
        if isinstance(own, str) or not isinstance(own, Mapping | tuple | list):
            raise BadInput(f"target {target!r} is given {own!r}; {wish}")
        for setting, value in own.items() if isinstance(own, Mapping) else own:
            yield str(target), str(setting), value


def _parsed(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _value(target: str, setting: str, value: Any) -> Any:
    """Convert the value to the setting's type and check it with `TrainSettings`."""
    hint = typing.get_type_hints(TrainSettings)[setting]
    members = typing.get_args(hint) or (hint,)
    kinds: tuple[type, ...] = tuple({one if isinstance(one, type) else str for one in members} - {type(None)})
    if float in kinds and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, kinds):
        wish = "text" if str in kinds else "a number" if float in kinds else "an integer"
        raise BadInput(f"{setting} of target {target!r} is {value!r}; expected {wish}")
    change: dict[str, Any] = {setting: value}
    try:
        TrainSettings(**change)
    except BadInput as refused:
        raise BadInput(f"target {target!r}: {refused}") from None
    return value
