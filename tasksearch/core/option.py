"""`option`: a dataclass field that is at once a command-line option, a key of the config file and a Python keyword argument.

A table of options is a frozen dataclass of such fields that inherits from `Options`. The command line, the config file and the
Python functions derive name, type, default, bounds, choices, help and heading from the fields: to add an option, add a field.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from tasksearch.core.errors import BadInput, UnknownName

_KEY = "option"
_WORDS = {int: "an integer", float: "a number", str: "text", bool: "true or false"}


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option, as declared by its field.

    Attributes:
        name: name of the field: the Python keyword and the config key. A repeatable option has a plural name.
        type: type of one value: `str`, `int`, `float` or `bool`.
        default: value when the option is not given.
        heading: heading under which `--help` and the config file show it.
        help: help text, one line.
        flags: command-line flags; by default `--name`, and also `--no-name` for a boolean.
        optional: whether None is allowed (`unset` describes what it means).
        several: whether the option is repeatable; its value is then a tuple.
        choices: allowed words; empty: any.
        least, above, most, below: bounds: at least, more than, at most, less than; None: no bound.
        wish: text that describes the expected value in error messages, instead of the bounds.
        unset: what None means, shown as `[default: …]`.
        path: whether values are files or folders, for shell completion.
        secret: whether a value may contain a password, which is never printed.
        check: function called with every value that is not None; raises BadInput.
        parse: function that builds the value from its raw form: the text of a flag or a table of the config file.
        write: function that returns the flag arguments of a value; the inverse of `parse`.
        forecast: whether the value can change what `tasksearch plan` forecasts.
    """

    name: str
    type: type
    default: Any
    heading: str
    help: str
    flags: tuple[str, ...]
    optional: bool
    several: bool
    choices: tuple[str, ...] = ()
    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None
    wish: str = ""
    unset: str = ""
    path: bool = False
    secret: bool = False
    check: Callable[[Any], object] | None = None
    parse: Callable[[Any], Any] | None = None
    write: Callable[[Any], list[str]] | None = None
    forecast: bool = True

    @property
    def flag(self) -> str:
        """The flag used in messages."""
        return self.flags[0]

    @property
    def shown_default(self) -> str:
        """The default as help shows it; empty where help needs none."""
        if self.default is None:
            return self.unset
        return "" if self.default in ((), False) else f"{self.default:g}" if self.type is float else str(self.default)

    def checked(self, value: Any) -> Any:
        """Return the value converted to the option's type.

        Raises:
            BadInput: the value has another type or is out of bounds.
            UnknownName: the value is not one of the choices.
        """
        if self.parse is not None:
            return self.parse(value)
        if value is None and self.optional:
            return None
        if not self.several:
            return self._one(value)
        if self.type is float and isinstance(value, int | float) and not isinstance(value, bool):
            return (self._one(value),)  # one number is a list of one, as it was before the option was repeatable
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise BadInput(f"{self.flag} is {value!r}; expected a list of values, such as [{value!r}]")
        return tuple(self._one(each) for each in value)

    def texts(self, value: Any) -> list[str]:
        """Return the command-line arguments that reproduce the value; an empty list for None."""
        if value is None or value == ():
            return []
        if self.write is not None:
            return [word for text in self.write(value) for word in (self.flag, text)]
        if self.type is bool:
            return [self.flag if value else negated(self.flag)]
        return [word for each in (value if self.several else (value,)) for word in (self.flag, _text(each))]

    def _one(self, value: Any) -> Any:
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if self.type is str and hasattr(value, "__fspath__"):
            value = str(value)
        kind: Any = self.type
        if not isinstance(value, kind) or (self.type is int and isinstance(value, bool)):
            raise BadInput(f"{self.flag} is {_told(value)}; expected {_WORDS[self.type]}")
        if self.choices and value not in self.choices:
            raise UnknownName(f"value for {self.flag}", value, self.choices)
        if self.type in (int, float) and not self._within(value):
            raise BadInput(f"{self.flag} is {_told(value)}; expected {self.wish or self._bounds()}")
        if self.check is not None:
            self.check(value)
        return value

    def _within(self, value: float) -> bool:
        return (
            math.isfinite(value)
            and (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
            and (self.below is None or value < self.below)
        )

    def _bounds(self) -> str:
        ends = (("at least", self.least), ("more than", self.above), ("at most", self.most), ("less than", self.below))
        return " and ".join(f"{words} {end:g}" for words, end in ends if end is not None) or "a finite number"


def negated(flag: str) -> str:
    """Return `--no-name` for `--name`."""
    return f"--no-{flag.removeprefix('--')}"


def option(default: Any, heading: str, help: str, **more: Any) -> Any:  # noqa: A002 - the word that typer has
    """Declare a field of an options table. `more` are attributes of `Option`; `flag` sets a first flag other than `--name`."""
    return dataclasses.field(
        default=default, repr=not more.get("secret", False), metadata={_KEY: {"heading": heading, "help": help, **more}}
    )


def like(table: type[Options], name: str, default: Any = None, **changes: Any) -> Any:
    """Declare a field that repeats an option of another table with another default.

    Type, bounds and choices thus stay declared once.
    """
    [field] = (each for each in dataclasses.fields(table) if each.name == name)
    return dataclasses.field(default=default, metadata={_KEY: {**field.metadata[_KEY], **changes}})


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base class of options tables: checks values and converts lists to tuples."""

    def __post_init__(self) -> None:
        for one in options_of(type(self)):
            object.__setattr__(self, one.name, one.checked(getattr(self, one.name)))

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Build a table from keywords that a user wrote.

        Raises:
            UnknownName: a keyword is not an option; the message names the nearest one.
        """
        check_names(values, cls)
        return cls(**values)

    def given(self) -> dict[str, Any]:
        """Return the options that differ from their defaults."""
        return {one.name: value for one in options_of(type(self)) if (value := getattr(self, one.name)) != one.default}


def check_names(values: Mapping[str, Any], *tables: type[Options]) -> None:
    """Raise UnknownName for a name that is not an option of any of the tables."""
    known = [one.name for table in tables for one in options_of(table)]
    for name in values:
        if name not in known:
            raise UnknownName("option", name, known)


def options_of(table: type[Options]) -> tuple[Option, ...]:
    """Return the options of a table, in field order."""
    key: Any = table  # mypy treats the dataclass type as unhashable here
    return _options_of(key)


def option_of(table: type[Options], name: str) -> Option:
    """Return one option of a table; `name` must be one of its fields."""
    return next(one for one in options_of(table) if one.name == name)


@lru_cache
def _options_of(table: Any) -> tuple[Option, ...]:
    hints = typing.get_type_hints(table)
    return tuple(_declared(field, hints[field.name]) for field in dataclasses.fields(table) if _KEY in field.metadata)


def _declared(field: Any, hint: Any) -> Option:
    facts = dict(field.metadata[_KEY])
    members = [one for one in typing.get_args(hint) if one is not types.NoneType]
    union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    inner = members[0] if union else hint
    several = typing.get_origin(inner) is tuple
    kind = typing.get_args(inner)[0] if several else inner
    flag = facts.pop("flag", "--" + field.name.replace("_", "-"))
    flags = (flag, *facts.pop("also", ()))
    return Option(
        name=field.name, type=str if facts.get("parse") else kind, default=field.default, flags=flags,
        optional=union, several=several, **facts,
    )  # fmt: skip


def _text(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _told(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)
