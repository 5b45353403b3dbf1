"""A study as a TOML file: the options of `tasksearch run`, and a table `[target.NAME]` for settings of a single target."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput, TasksearchError
from tasksearch.core.option import Option, options_of
from tasksearch.core.options import HEADINGS, Places, Resources, StudyOptions
from tasksearch.core.target_settings import PerTarget, read_per_target
from tasksearch.study.configuration import Asked
from tasksearch.tracking.address import kept

_TABLE = "target"


def read_config(path: Path | str) -> Asked:
    """Read the options from a config file.

    Raises:
        BadInput: the file does not exist or is not TOML, or has an unknown key or a value that its option does not take.
    """
    return asked_from(read_values(path))


def read_values(path: Path | str) -> dict[str, Any]:
    """Read option → value from a config file, and check them.

    Raises:
        BadInput: as `read_config`.
    """
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(
            f"cannot read {path}: {error.strerror}; expected a file as `tasksearch run --print-config` writes it"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not TOML: {str(error).splitlines()[0]}") from None
    try:
        Asked.read(values)
    except TasksearchError as error:
        raise BadInput(f"{path}: {error}") from None
    return values


def asked_from(values: Mapping[str, Any], over: Mapping[str, Any] | None = None) -> Asked:
    """Build the options from values of a config file, which the values in `over` replace.

    Settings of single targets are merged one by one.
    """
    merged = {**values, **(over or {})}
    if _TABLE in values and _TABLE in merged:
        sides = [dict(read_per_target(side[_TABLE])) for side in (values, merged)]
        names = dict.fromkeys((*sides[0], *sides[1]))
        merged[_TABLE] = {name: {**dict(sides[0].get(name, ())), **dict(sides[1].get(name, ()))} for name in names}
    return Asked.read(merged)


def config_text(asked: Asked) -> str:
    """Return a config file that asks for the same: every option with its help; options without a value are commented out.

    Passwords in addresses are left out.
    """
    tables = ((StudyOptions, asked.study), (Resources, asked.resources), (Places, asked.places))
    lines = ["# A study, for `tasksearch run --config FILE`; flags go before what stands here."]
    for heading, belongs in HEADINGS.items():
        lines += ["", f"# {heading} ({belongs})"]
        for table, values in tables:
            for one in options_of(table):
                if one.heading == heading and one.name != _TABLE:
                    lines.append(_line(one, getattr(values, one.name)))
    return "\n".join([*lines, *_target_tables(asked.study.target)]) + "\n"


def _line(one: Option, value: Any) -> str:
    note = f"{one.help} [{' | '.join(one.choices)}]" if one.choices else one.help
    note += f" [default: {one.shown_default}]" if one.shown_default else ""
    if value is None or value == ():
        return f"# {one.name} =  # {note}"
    return f"{one.name} = {_toml(kept(value) if one.secret else value)}  # {note}"


def _target_tables(settings: PerTarget) -> list[str]:
    lines: list[str] = []
    for target, own in settings:
        lines += ["", f"[{_TABLE}.{_toml(target)}]", *(f"{name} = {_toml(value)}" for name, value in own)]
    return lines


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)
