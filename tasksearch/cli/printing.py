"""What several commands print with: a console, JSON, a verdict; and the checks of options that belong together."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

_answers: list[None] = []


def print_json(data: Mapping[str, Any]) -> None:
    """One JSON object on standard output, for scripts; a command prints no second one."""
    typer.echo(json.dumps(data))
    _answers.append(None)


def answered() -> bool:
    """Whether this process printed its JSON object already: what fails after that is told on standard error alone."""
    return bool(_answers)


def one_of(option: str, value: str, known: tuple[str, ...]) -> None:
    """Raises UnknownName, with the nearest word that the option knows."""
    if value not in known:
        from tasksearch.core.errors import UnknownName

        raise UnknownName(f"value for {option}", value, known)


def refuse_beside(what: str, **given: object) -> None:
    """Refuses options that a command would ignore.

    Args:
        what: what was asked for, `--why`.
        **given: options by their names, each with its value or whether it was given; None, False and nothing are not.

    Raises:
        BadInput: names the first of them that was given.
    """
    for name, value in given.items():
        if value:
            from tasksearch.core.errors import BadInput

            raise BadInput(f"--{name.replace('_', '-')} with {what}, which does not use it; leave one of them out")


def print_verdict(console: Any, verdict: Any, warning: str) -> None:
    """The table of the best mix per language, and the sentence on whether the search was worth its hours."""
    from tasksearch.reports.tables import verdict_table

    console.print(verdict_table(verdict, warning=warning))
    if verdict.adaptive:
        console.print(
            "Adaptive: the reporting examples had been read before under another question; these numbers may flatter."
        )
    if verdict.baseline_comparison is not None:
        console.print(verdict.baseline_comparison.sentence, highlight=False)


def compact_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> Any:
    """A table without lines, one blank between columns, so that seven columns fit eighty; cells break between words alone."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


PIPED = 100
"""Columns of what is printed where no terminal says how many there are: a log, a pipe."""


def open_console() -> Any:
    """Standard output: colours on a terminal, plain text in a pipe; as wide as `COLUMNS` says, else as a terminal is."""
    from rich.console import Console

    console = Console()
    told = os.environ.get("COLUMNS", "").isdigit() or any(map(os.isatty, (0, 1, 2)))
    return console if told or console.is_terminal else Console(width=PIPED)
