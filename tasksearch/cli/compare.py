"""`tasksearch compare`: several studies side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasksearch.cli.completion import complete_study
from tasksearch.cli.options import Json
from tasksearch.cli.printing import open_console, print_json

COMPARE_EXAMPLES = (
    "Examples: `tasksearch compare studies/xlmr-base studies/xlmr-large`; `tasksearch compare A B --tables tables`"
)


def compare(
    studies: Annotated[
        list[Path],
        typer.Argument(help="study folders, two or more", show_default=False, autocompletion=complete_study),
    ],
    tables: Annotated[Path | None, typer.Option(help="folder for every table as CSV and LaTeX too")] = None,
    as_json: Json = False,
) -> None:
    """Several studies side by side (models, suites, seeds): per language each one's mix, gain and verdict.

    Where two of them trained the same mixes, the rank correlation of their scores says how far they rank them alike.
    """
    from tasksearch.study.compare import compare_studies

    found = compare_studies(studies)
    if as_json and tables is None:
        print_json(found.to_json())
        return
    from tasksearch.reports.page import write_table
    from tasksearch.reports.study_comparison import comparison_table, studies_table
    from tasksearch.reports.transfer import transfer_table

    shown = {"studies": studies_table(found), "comparison": comparison_table(found)}
    shown |= {"transfer": transfer_table(found.transfers)} if found.transfers else {}
    files = [file for name, table in shown.items() for file in write_table(table, tables / name)] if tables else []
    if as_json:
        print_json(found.to_json() | {"tables": [str(file) for file in files]})
        return
    console = open_console()
    for table in shown.values():
        console.print(table)
    if files:
        typer.echo(f"wrote {len(files)} files of tables into {tables}")
