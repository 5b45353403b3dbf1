"""`tasksearch contract`: check a user's own part against the contract of its kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasksearch.cli.options import Json
from tasksearch.cli.printing import print_json

CONTRACT_EXAMPLES = (
    "Examples: `tasksearch contract my_suite.toml --data DIR`; `tasksearch contract my_sampler.py:Greedy`; "
    "`tasksearch contract my_trainable.py:Mine --json`"
)


def contract(
    part: Annotated[
        str, typer.Argument(help="a suite or space file, or FILE.py:NAME of a sampler, picker, metric, trainable or encoder")
    ],
    data: Annotated[
        Path | None, typer.Option(help="folder of a suite's data [default: the file's own, $TASKSEARCH_DATA]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tries a part of your own against the contract of its kind, without Ray: one line per requirement.

    Exit code 0 where every requirement is kept, else 2.
    """
    import dataclasses

    from tasksearch.study.contracts import contract_of

    found = contract_of(part, data=str(data) if data else None)
    if as_json:
        print_json({"kept": found.kept} | dataclasses.asdict(found))
    else:
        typer.echo(f"{found.part}: {found.kind}")
        for one in found.requirements:
            typer.echo(f"{'kept  ' if one.kept else 'BROKEN'}  {one.text}" + (f": {one.remark}" if one.remark else ""))
    if not found.kept:
        raise typer.Exit(2)
