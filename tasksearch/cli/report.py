"""`tasksearch report`: a study as one HTML page, or the answer to one question."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch.cli.completion import choice, complete_study
from tasksearch.cli.options import Json
from tasksearch.cli.printing import open_console, print_json, refuse_beside
from tasksearch.core.errors import BadInput
from tasksearch.results.matched_comparison import QUESTION

REPORT_EXAMPLES = (
    "Examples: `tasksearch report studies/joint_vs_seq-lab-seed0`; `tasksearch report STUDY --out /tmp/report.html`; "
    "`tasksearch report STUDY OTHER_STUDY --question joint-vs-sequential`, on any studies with matched pairs"
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
    question: Annotated[
        str | None,
        typer.Option(help="answer a question instead, on the studies' matched pairs", show_default=False, **choice(QUESTION)),
    ] = None,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="read the question's examples again for other matched pairs; marked adaptive")
    ] = False,
    as_json: Json = False,
) -> None:
    """Writes one self-contained HTML page: verdict, best mixes, gains, history, warnings. While a study runs: partial."""
    from tasksearch.study.report import write_report

    if question is not None:
        _answer(study, question, out, reopen, as_json)
        return
    refuse_beside("a page", reopen=reopen)
    if len(study) > 1:
        raise BadInput(f"{len(study)} studies; expected one, or --question {QUESTION}: a page shows one study")
    path, data = write_report(study[0], out)
    if as_json:
        verdict = data.verdict.to_json() if data.verdict else None
        print_json({"report": str(path), "partial": data.partial, "trials": len(data.records), "verdict": verdict})
        return
    typer.echo(f"wrote {path}" + (" (partial: the study is not complete)" if data.partial else ""))


def _answer(studies: list[Path], question: str, out: Path | None, reopen: bool, as_json: bool) -> None:
    from tasksearch.study.matched_comparison import answer_question

    if out is not None:
        raise BadInput("--out with --question; expected one of them: an answer is printed, the page has it too")
    found = answer_question(studies, reopen=reopen)
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
        console.print("Adaptive: other matched pairs had been read on these examples before; these numbers may flatter.")
    for line in closing_lines(answer):
        console.print(line, highlight=False)
