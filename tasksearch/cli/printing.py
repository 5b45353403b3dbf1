"""Output that several commands share: a console, JSON, a verdict; and checks of options that exclude each other."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

_answers: list[None] = []


def print_json(data: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output, for scripts; a command must print only one."""
    typer.echo(json.dumps(data))
    _answers.append(None)


def answered() -> bool:
    """Return whether this process has already printed its JSON object; later errors go to standard error only."""
    return bool(_answers)


def one_of(option: str, value: str, known: tuple[str, ...]) -> None:
    """Raise UnknownName, with the nearest known value, if the option does not know `value`."""
    if value not in known:
        from tasksearch.core.errors import UnknownName

        raise UnknownName(f"value for {option}", value, known)


def refuse_beside(what: str, **given: object) -> None:
    """Refuse options that a command would ignore.

    Args:
        what: what was asked for, such as `--why`.
        **given: options by their names, each with its value or whether it was given; false values count as not given.

    Raises:
        BadInput: names the first option that was given.
    """
    for name, value in given.items():
        if value:
            from tasksearch.core.errors import BadInput

            raise BadInput(f"--{name.replace('_', '-')} with {what}, which does not use it; leave one of them out")


def print_verdict(console: Any, verdict: Any, warning: str) -> None:
    """Print the table of the best mix per language, and the sentence on whether the search was worth its cost."""
    from tasksearch.reports.tables import verdict_table

    console.print(verdict_table(verdict, warning=warning))
    if verdict.adaptive:
        console.print(
            "Adaptive: the reporting examples had been read before under another question; these numbers may flatter."
        )
    if verdict.baseline_comparison is not None:
        console.print(verdict.baseline_comparison.sentence, highlight=False)


def compact_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> Any:
    """Return a table without lines and with single spaces between columns: seven columns fit into 80; cells wrap at words."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


PIPED = 100
"""Width in columns of output that goes neither to a terminal nor has a width set, such as a log or a pipe."""


def open_console() -> Any:
    """Open standard output: with colours on a terminal, plain in a pipe; the width is `COLUMNS`, else the terminal's."""
    from rich.console import Console

    console = Console()
    told = os.environ.get("COLUMNS", "").isdigit() or any(map(os.isatty, (0, 1, 2)))
    return console if told or console.is_terminal else Console(width=PIPED)
