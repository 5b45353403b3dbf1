"""`tasksearch score`: a prediction file against a label file, to the digits of the reference scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasksearch.cli.printing import print_json, refuse_beside

SCORE_EXAMPLES = (
    "Examples: `tasksearch score seqeval --gold panx/test-sw.tsv --pred mine/panx/test-sw.tsv`; "
    "`tasksearch score mlqa --language de --gold test-de.json --pred mine.json`; "
    "`tasksearch score xtreme --gold labels/ --pred predictions/`"
)


def score(
    metric: Annotated[
        str, typer.Argument(help="accuracy, qqp, seqeval, squad, squad_v2, mlqa, bucc, tatoeba; xtreme for the whole benchmark")
    ],
    gold: Annotated[Path, typer.Option(help="label file, or with xtreme the folder of <task>/test-<language>.tsv or .json")],
    pred: Annotated[Path, typer.Option(help="prediction file or folder of the same layout, as XTREME's submissions have it")],
    language: Annotated[
        str | None, typer.Option(help="mlqa: language of the answers; the other metrics have one rule for all")
    ] = None,
    na_prob: Annotated[
        Path | None,
        typer.Option(help="squad_v2: JSON of id → no-answer score; adds best_exact and best_f1, tuned on this very file"),
    ] = None,
) -> None:
    """Scores predictions in XTREME's formats: one JSON object, in percent at full precision, equal to the reference scripts.

    Unanswered questions score 0, as in the references, and are named on standard error.
    """
    refuse_beside(f"metric {metric}", **{} if metric == "mlqa" else {"language": language})
    refuse_beside(f"metric {metric}", **{} if metric == "squad_v2" else {"na_prob": na_prob})
    if metric == "xtreme":
        from tasksearch.metrics.xtreme import missing_line, score_benchmark

        benchmark = score_benchmark(gold, pred)
        print_json(benchmark.to_json())
        notes = (*benchmark.notes, *filter(None, [missing_line(benchmark)]))
    else:
        from tasksearch.metrics.scoring import score_files

        found = score_files(metric, gold, pred, language=language, null_scores=na_prob)
        print_json(dict(found.values))
        notes = found.notes
    for note in notes:
        typer.echo(f"tasksearch: {note}", err=True)
