"""`tasksearch report`: a study as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasksearch.cli.options import Json, Study
from tasksearch.cli.printing import print_json

REPORT_EXAMPLES = (
    "Examples: `tasksearch report studies/joint_vs_seq-lab-seed0`; `tasksearch report STUDY --out /tmp/report.html`"
)


def report(
    study: Study,
    out: Annotated[Path | None, typer.Option(help="file to write [default: report.html in the study folder]")] = None,
    as_json: Json = False,
) -> None:
    """Writes one self-contained HTML page: verdict, best mixes, gains, history, warnings. While a study runs: partial."""
    from tasksearch.study.report import write_report

    path, data = write_report(study, out)
    if as_json:
        verdict = data.verdict.to_json() if data.verdict else None
        print_json({"report": str(path), "partial": data.partial, "trials": len(data.records), "verdict": verdict})
        return
    typer.echo(f"wrote {path}" + (" (partial: the study is not complete)" if data.partial else ""))
