"""`tasksearch ui`: serve the MLflow page of a study on loopback."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from tasksearch.cli.options import Json, Study
from tasksearch.cli.printing import print_json

UI_EXAMPLES = "Example: `tasksearch ui studies/joint_vs_seq-lab-seed0`"


def ui(
    study: Study,
    port: Annotated[int | None, typer.Option(help="on loopback [default: a free one]")] = None,
    best_runs: Annotated[
        int,
        typer.Option(
            "--best", min=2, help="runs of the search that are compared: the best of each kind of schedule, then the second"
        ),
    ] = 6,
    as_json: Json = False,
) -> None:
    """Opens a study's MLflow page on loopback and prints links: all mixes, best runs compared, all runs; Ctrl-C ends it."""
    from tasksearch.study.mlflow_page import open_page

    for ending in ("SIGTERM", "SIGHUP"):  # handle them like Ctrl-C, or the server would outlive this process
        if hasattr(signal, ending):
            signal.signal(getattr(signal, ending), signal.default_int_handler)
    with open_page(study, port=port, best=best_runs) as page:
        if as_json:
            print_json({"mixes": page.mixes, "compare": page.compare, "runs": page.runs})
        else:
            typer.echo(f"mixes    {page.mixes}\ncompare  {page.compare}\nall runs {page.runs}\n(loopback only; Ctrl-C ends it)")
        sys.stdout.flush()
        try:
            page.server.wait()
        except KeyboardInterrupt:
            return
