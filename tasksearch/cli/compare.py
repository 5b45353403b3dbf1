"""`tasksearch compare`: several studies side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasksearch.cli.completion import complete_study
from tasksearch.cli.options import Json
from tasksearch.cli.printing import open_console, print_json

COMPARE_EXAMPLES = "Example: `tasksearch compare studies/xlmr-base studies/xlmr-large`"


def compare(
    studies: Annotated[
        list[Path],
        typer.Argument(help="study folders, two or more", show_default=False, autocompletion=complete_study),
    ],
    as_json: Json = False,
) -> None:
    """Several studies side by side (models, suites, seeds): per language each one's mix, gain and verdict.

    Where two of them trained the same mixes, the rank correlation of their scores says how far they rank them alike.
    """
    from tasksearch.study.compare import compare_studies

    found = compare_studies(studies)
    if as_json:
        print_json(found.to_json())
        return
    from tasksearch.reports.study_comparison import comparison_table, studies_table
    from tasksearch.reports.transfer import transfer_table

    console = open_console()
    console.print(studies_table(found))
    console.print(comparison_table(found))
    if found.transfers:
        console.print(transfer_table(found.transfers))
