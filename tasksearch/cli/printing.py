"""Output that several commands share: a console, JSON, a verdict; and checks of options that exclude each other."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
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
        what: what was asked for, such as `--effects`.
        **given: options by their names, each with its value or whether it was given; false values count as not given.

    Raises:
        BadInput: names the first option that was given.
    """
    for name, value in given.items():
        if value:
            from tasksearch.core.errors import BadInput

            raise BadInput(f"--{name.replace('_', '-')} with {what}, which does not use it; leave one of them out")


def print_verdict(console: Any, folder: Path, verdict: Any, *, table: Any = None, notes: bool = False) -> None:
    """Print the decision in words, then one table with its legend, and with `notes` all there is to know about the numbers.

    Args:
        console: of standard output.
        folder: the study's folder.
        verdict: of the study, or a part of it.
        table: a `ReportTable` to print in place of the gain in every language and target.
        notes: whether the rules, seeds, examples and labels behind the numbers are printed too.
    """
    from tasksearch.reports.decision import ADAPTIVE, decision, mix_lines
    from tasksearch.reports.tables import cell_table, verdict_table
    from tasksearch.reports.transfer import transfer_lines
    from tasksearch.study.best import open_study
    from tasksearch.study.matched_comparison import order_of
    from tasksearch.study.transfer import correlated

    config, suite, records = open_study(folder)
    lines = [*decision(verdict, *order_of(folder, records)), *([ADAPTIVE] if verdict.adaptive else [])]
    if (moved := correlated(config, suite.groups, records)) is not None:
        lines += transfer_lines(moved)
    for line in (lines[0], *mix_lines(verdict), *lines[1:]):
        console.print(line, highlight=False)
    console.print()
    console.print(cell_table(verdict, warning=suite.warning) if table is None else table)
    if notes:
        from tasksearch.reports.reference_scores import reference_table
        from tasksearch.study.reference_scores import reference_scores_of

        console.print()
        console.print(verdict_table(verdict))
        if references := reference_scores_of(folder):
            console.print(reference_table(references))


def verdict_json(folder: Path, verdict: Any) -> dict[str, Any]:
    """Return the verdict as JSON values, with the decision as a list of sentences, and `transfer` where it took mixes over."""
    from tasksearch.reports.decision import decision
    from tasksearch.study.best import open_study
    from tasksearch.study.matched_comparison import order_of
    from tasksearch.study.transfer import correlated

    config, suite, records = open_study(folder)
    moved = correlated(config, suite.groups, records)
    said = decision(verdict, *order_of(folder, records))
    return {**verdict.to_json(), "decision": list(said)} | ({"transfer": moved.to_json()} if moved else {})


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
