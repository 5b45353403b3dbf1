"""What several commands print with: a console, JSON, a verdict; and the checks of options that belong together."""

from __future__ import annotations

import json
import os
from typing import Any

import typer


def print_json(data: Any) -> None:
    """One JSON object on standard output, for scripts."""
    typer.echo(json.dumps(data))


NARROW = 20
"""Columns that the words of an option may take in help of 80 columns; longer lists stand in its text."""


def choices(*words: str) -> dict[str, Any]:
    """How an option of so many words is shown and completed, for `typer.Option`; `one_of` checks it."""
    shown = "|".join(words)
    return {
        "metavar": shown if len(shown) <= NARROW else "<choice>",
        "autocompletion": lambda incomplete: [word for word in words if word.startswith(incomplete)],
    }


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


PIPED = 100
"""Columns of what is printed where no terminal says how many there are: a log, a pipe."""


def open_console() -> Any:
    """Standard output: colours on a terminal, plain text in a pipe; as wide as `COLUMNS` says, else as a terminal is."""
    from rich.console import Console

    console = Console()
    told = os.environ.get("COLUMNS", "").isdigit() or any(map(os.isatty, (0, 1, 2)))
    return console if told or console.is_terminal else Console(width=PIPED)
