"""`tasksearch report`: a study as one HTML page, or the answer to one question."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch.cli.completion import choice, complete_study
from tasksearch.cli.options import Json, Reopen
from tasksearch.cli.printing import open_console, print_json, refuse_beside
from tasksearch.core.errors import BadInput
from tasksearch.results.matched_comparison import MARGIN, QUESTION
from tasksearch.results.paper_table import PAPERS

REPORT_EXAMPLES = (
    "Examples: `tasksearch report studies/joint_vs_seq-lab-seed0`; `tasksearch report STUDY --tables tables`; "
    "`tasksearch report STUDY OTHER_STUDY --question joint-vs-sequential`, on any studies with matched pairs; "
    "`tasksearch report STUDY --as phang2020`, in the paper's layout"
)


def report(
    study: Annotated[
        list[Path],
        typer.Argument(
            help="study folder, as `run` printed it; several for one --question",
            show_default=False,
            autocompletion=complete_study,
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="file to write [default: report.html in the study folder]")] = None,
    tables: Annotated[
        Path | None, typer.Option(help="folder for every table of the page as CSV and LaTeX, beside the page")
    ] = None,
    question: Annotated[
        str | None,
        typer.Option(help="answer a question instead, on the studies' matched pairs", show_default=False, **choice(QUESTION)),
    ] = None,
    margin: Annotated[
        float, typer.Option(help="with --question: points within which joint and sequential count as equivalent", min=0.01)
    ] = MARGIN,
    paper: Annotated[
        str | None,
        typer.Option("--as", help="print a paper's table instead: rows intermediate tasks, columns targets", **choice(*PAPERS)),
    ] = None,
    reopen: Reopen = False,
    as_json: Json = False,
) -> None:
    """Writes one self-contained HTML page: decision, gains, history, warnings. While a study runs: partial."""
    from tasksearch.reports.page import write_tables
    from tasksearch.study.report import write_report

    if question is not None:
        refuse_beside("--question", tables=tables, **{"as": paper})
        _answer(study, out, as_json, margin)
        return
    if margin != MARGIN:
        raise BadInput(
            f"--margin {margin:g} without --question {QUESTION}; expected both: a page shows the usual margin, {MARGIN:g}"
        )
    if paper is not None and len(study) == 1:
        refuse_beside("--as", out=out)
        _print_paper(study[0], tables, as_json)
        return
    if len(study) > 1:
        raise BadInput(f"{len(study)} studies; expected one, or --question {QUESTION}: a page shows one study")
    path, data = write_report(study[0], out)
    files = write_tables(data, tables) if tables else []
    if as_json:
        verdict = data.verdict.to_json() if data.verdict else None
        print_json(
            {
                "report": str(path),
                "partial": data.partial,
                "trials": len(data.records),
                "verdict": verdict,
                "tables": [str(file) for file in files],
            }
        )
        return
    typer.echo(f"wrote {path}" + (" (partial: the study is not complete)" if data.partial else ""))
    if files:
        typer.echo(f"wrote {len(files)} files of tables into {tables}")


def _print_paper(study: Path, tables: Path | None, as_json: bool) -> None:
    from tasksearch.reports.page import write_table
    from tasksearch.reports.paper_table import paper_report
    from tasksearch.study.paper_table import paper_table

    found = paper_table(study)
    shown = paper_report(found)
    files = write_table(shown, tables / "paper") if tables else []
    if as_json:
        print_json(found.to_json() | {"tables": [str(file) for file in files]})
        return
    open_console().print(shown)
    if files:
        typer.echo(f"wrote {files[0]} and {files[1]}")


def _answer(studies: list[Path], out: Path | None, as_json: bool, margin: float) -> None:
    from tasksearch.study.matched_comparison import answer_question

    if out is not None:
        raise BadInput("--out with --question; expected one of them: an answer is printed, the page has it too")
    found = answer_question(studies, margin=margin)
    if as_json:
        print_json(found.to_json())
    else:
        _print_answer(open_console(), found)


def _print_answer(console: Any, answer: Any) -> None:
    from tasksearch.reports.matched_comparison import choosing_table, closing_lines, matched_table

    console.print(matched_table(answer))
    for choosing in answer.choosing:
        console.print(choosing_table(choosing, warning=answer.warning))
    if answer.adaptive:
        console.print("Adaptive: other matched pairs were read on these examples before; these numbers may flatter.")
    for line in closing_lines(answer):
        console.print(line, highlight=False)
