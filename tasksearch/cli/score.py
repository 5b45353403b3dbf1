"""`tasksearch score`: score a prediction file against a label file, with the same digits as the reference scripts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch.cli.completion import choice, complete_language
from tasksearch.cli.printing import print_json, refuse_beside

METRICS = ("accuracy", "qqp", "seqeval", "squad", "squad_v2", "mlqa", "bucc", "tatoeba", "xtreme")
"""`metrics.scoring.FILE_METRICS`, which cannot be imported here since it loads numpy, and the whole benchmark."""
SCORE_EXAMPLES = (
    "Examples: `tasksearch score seqeval --gold panx/test-sw.tsv --pred mine/panx/test-sw.tsv`; "
    "`tasksearch score mlqa --language de --gold test-de.json --pred mine.json`; "
    "`tasksearch score xtreme --gold labels/ --pred predictions/`"
)


def score(
    metric: Annotated[
        str,
        typer.Argument(
            help=f"{', '.join(METRICS[:-1])}; xtreme: the whole benchmark", **choice(*METRICS) | {"metavar": "metric"}
        ),
    ],
    gold: Annotated[
        Path, typer.Option(help="label file, or with xtreme the folder of `<task>/test-<language>.tsv` or `.json`")
    ],
    pred: Annotated[Path, typer.Option(help="prediction file or folder of the same layout, as XTREME's submissions have it")],
    language: Annotated[
        str | None,
        typer.Option(
            help="mlqa: language of the answers; the other metrics have one rule for all", autocompletion=complete_language
        ),
    ] = None,
    na_prob: Annotated[
        Path | None,
        typer.Option(help="squad_v2: JSON of id → no-answer score; adds best_exact and best_f1, tuned on this very file"),
    ] = None,
    na_prob_thresh: Annotated[
        float | None,
        typer.Option(
            help="squad_v2 with --na-prob: a no-answer score above this counts as no answer (the official script: 1.0)"
        ),
    ] = None,
    allow_extra: Annotated[
        bool, typer.Option("--allow-extra", help="squad, squad_v2, mlqa: pass over answers to questions that are not asked")
    ] = False,
    missing_as_empty: Annotated[
        bool,
        typer.Option("--missing-as-empty", help="squad, squad_v2, mlqa: a question without an answer is answered with nothing"),
    ] = False,
    threshold: Annotated[
        str | None,
        typer.Option(help="bucc with scores: count candidates of at least this; auto: the best F1, on --dev-gold if given"),
    ] = None,
    dev_gold: Annotated[
        Path | None, typer.Option(help="bucc with --threshold auto: gold that the threshold is chosen on")
    ] = None,
    dev_pred: Annotated[Path | None, typer.Option(help="bucc with --dev-gold: the candidates of those texts")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="errors as a JSON object too; scores always are one")] = False,
) -> None:
    """Scores predictions in XTREME's formats: one JSON object, in percent at full precision, equal to the reference scripts.

    Unanswered questions score 0, as in SQuAD's and MLQA's scripts, and are named on standard error.
    """
    refuse_beside(f"metric {metric}", **{} if metric == "mlqa" else {"language": language})
    refuse_beside(f"metric {metric}", **{} if metric == "squad_v2" else {"na_prob": na_prob, "na_prob_thresh": na_prob_thresh})
    refuse_beside(f"metric {metric}", **{} if metric == "bucc" else {"threshold": threshold, "dev_gold": dev_gold})
    from tasksearch.metrics.scoring import Answering, score_files

    answering = Answering(allow_extra=allow_extra, missing_as_empty=missing_as_empty)
    if metric == "xtreme":
        from tasksearch.metrics.xtreme import missing_line, score_benchmark

        benchmark = score_benchmark(gold, pred, answering=answering)
        print_json(benchmark.to_json())
        notes = (*benchmark.notes, *filter(None, [missing_line(benchmark)]))
    else:
        from tasksearch.tasks.languages import canonical

        spoken = canonical(language) if language else None
        found = score_files(
            metric, gold, pred, language=spoken, null_scores=na_prob, null_threshold=na_prob_thresh,
            answering=answering, cut=_cut(threshold, dev_gold, dev_pred),
        )  # fmt: skip
        print_json(dict(found.values))
        notes = found.notes
    for note in notes:
        typer.echo(f"tasksearch: {note}", err=True)


def _cut(threshold: str | None, gold: Path | None, pred: Path | None) -> Any:
    from tasksearch.core.errors import BadInput
    from tasksearch.metrics.scoring import Cut

    if (gold is None) is not (pred is None):
        raise BadInput("expected --dev-gold and --dev-pred together: gold and candidates of the development texts")
    if gold is not None and threshold != "auto":
        raise BadInput("--dev-gold is what --threshold auto chooses on; expected it beside, or neither")
    if threshold is None:
        return None
    if threshold == "auto":
        return Cut(gold=gold, predictions=pred)
    try:
        number = float(threshold)
    except ValueError:
        number = float("nan")
    if math.isnan(number):
        raise BadInput(f"--threshold {threshold}; expected a number or auto")
    return Cut(threshold=number)
