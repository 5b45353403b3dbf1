"""From tables of options to a command's signature: a parameter that is a table becomes one command option per field."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch.cli import completion
from tasksearch.core.option import Option, Options, negated, options_of
from tasksearch.core.options import Places, Resources, StudyOptions
from tasksearch.core.study import CONTROLS, SAMPLERS

Config = Annotated[
    Path | None,
    typer.Option("--config", help="TOML file of options, as --print-config writes it; flags go before what stands there"),
]
NARROW = 20
"""Maximum width in columns of an option's list of values in help of 80 columns; longer lists are put into its help text."""
IN_A_FILE = (StudyOptions, Resources, Places)
"""Tables that a config file may contain."""


def from_tables(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return the command with the fields of its tables as options, which override a config file if it has a parameter `config`.

    The command is called with the tables filled in; its other parameters are passed unchanged.
    """
    hints = typing.get_type_hints(command, include_extras=True)
    tables = {name: hint for name, hint in hints.items() if isinstance(hint, type) and issubclass(hint, Options)}
    own = inspect.signature(command).parameters
    parameters: list[inspect.Parameter] = []
    for name, parameter in own.items():
        if name in tables:
            parameters += [made for one in options_of(tables[name]) for made in _parameters(one)]
        else:
            parameters.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))
    takes_file = "config" in own

    @functools.wraps(command)
    def called(**values: Any) -> Any:
        rest = {name: values[name] for name in own if name not in tables and name != "config"}
        said = _said({name: value for name, value in values.items() if name not in rest and name != "config"})
        built = _with_file(values["config"], said, tables) if takes_file else _built(tables, said)
        return command(**built, **rest)

    called.__annotations__ = {one.name: one.annotation for one in parameters}
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return called


def _with_file(path: Path | None, said: dict[str, Any], tables: dict[str, type[Options]]) -> dict[str, Options]:
    from tasksearch.study.config_file import asked_from, read_values

    beside = {name: table for name, table in tables.items() if table not in IN_A_FILE}
    apart = {one.name for table in beside.values() for one in options_of(table)}
    asked = asked_from(read_values(path) if path else {}, {name: value for name, value in said.items() if name not in apart})
    filled = {type(part): part for part in (asked.study, asked.resources, asked.places)}
    return _built(beside, said) | {name: filled[table] for name, table in tables.items() if table in filled}


def _built(tables: dict[str, type[Options]], said: dict[str, Any]) -> dict[str, Options]:
    return {
        name: table(**{one.name: said[one.name] for one in options_of(table) if one.name in said})
        for name, table in tables.items()
    }


def _said(flags: dict[str, Any]) -> dict[str, Any]:
    """Return the flags that were given, by the names of their options."""
    given = {name: value for name, value in flags.items() if value not in (None, [], ())}
    undone = {name.removeprefix(_NO): False for name in given if name.startswith(_NO)}
    return {name: value for name, value in given.items() if not name.startswith(_NO)} | undone


_NO = "no_"


def _parameters(one: Option) -> list[inspect.Parameter]:
    """Return the parameters of a command for one option.

    The default is None, to distinguish a flag that was not given. An option that is off by default also gets a hidden flag
    that turns it off if a config file turns it on.
    """
    kind: Any = Path if one.path else one.type
    hint = list[kind] | None if one.several else kind | None
    made = [_parameter(one.name, hint, typer_option(one))]
    if one.type is bool and one.default is False:
        made.append(
            _parameter(_NO + one.name, bool | None, typer.Option(negated(one.flag), hidden=True, rich_help_panel=one.heading))
        )
    return made


def _parameter(name: str, hint: Any, info: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[hint, info])


def typer_option(one: Option) -> Any:
    """Return the option as typer needs it: names, help text, completion. Its value is checked by the table."""
    both = one.type is bool and one.default is None
    flags = [f"{flag}/{negated(flag)}" for flag in one.flags] if both else list(one.flags)
    default = f" [default: {one.shown_default}]" if one.shown_default else ""
    words = "|".join(one.choices or ())
    metavar = words if len(words) <= NARROW else "[choice]"
    long = f" ({', '.join(one.choices or ())})" if len(words) > NARROW else ""
    return typer.Option(
        *flags,
        help=one.help + long + default,
        show_default=False,
        metavar=metavar or None,
        autocompletion=_completer(one),
        rich_help_panel=one.heading,
    )


def _completer(one: Option) -> Callable[..., Any] | None:
    """Return a completer for the option's values; None: the shell's own, which completes file names."""
    if one.name == "controls":
        return completion.complete_words("all", "none", *CONTROLS, commas=True)
    return _COMPLETED.get(one.name) or (completion.complete_words(*one.choices) if one.choices else None)


_COMPLETED = {
    "space": completion.complete_space,
    "suite": completion.complete_suite,
    "targets": completion.complete_target,
    "tasks": completion.complete_task,
    "sampler": completion.complete_words(*SAMPLERS),
    "languages": completion.complete_language,
}
