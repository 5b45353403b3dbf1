"""`tasksearch check`: check that a study's folder is complete and consistent, and repair what can be repaired."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from tasksearch.cli.options import Json, Study
from tasksearch.cli.printing import print_json

CHECK_EXAMPLES = "Examples: `tasksearch check STUDY`; `tasksearch check STUDY --repair`, then `tasksearch resume STUDY`"


def check(
    study: Study,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="put damaged files aside, write Optuna and MLflow again from the records; needs the study idle"
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Verifies records, outcomes, objective, store, Optuna and MLflow against each other; exit code 1 where something stays."""
    from tasksearch.study.verification import verify_study

    found = verify_study(study, repair=repair)
    left = [finding for finding in found if not finding.mended]
    if as_json:
        print_json({"study": str(study), "findings": [dataclasses.asdict(finding) for finding in found], "left": len(left)})
    else:
        for finding in found:
            typer.echo(str(finding))
        typer.echo(_closing(len(found), len(left), repair))
    if left:
        raise typer.Exit(1)


def _closing(found: int, left: int, repair: bool) -> str:
    if not found:
        return "whole: records, outcomes, objective, store, Optuna and MLflow agree"
    if not left:
        return f"{found} mended"
    return f"{found} found, {found - left} mended" + ("" if repair else "; --repair mends what can be")
