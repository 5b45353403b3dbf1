"""`tasksearch predict`: a model's predictions as XTREME's submission files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tasksearch.cli.completion import choice, complete_language, complete_suite, complete_target
from tasksearch.cli.mine import POOLINGS, Prefix
from tasksearch.cli.options import Json, Quiet
from tasksearch.cli.printing import open_console, print_json

PREDICT_EXAMPLES = (
    "Examples: `tasksearch predict --model models/xnli --data data --out predictions`; "
    "`tasksearch predict --model FacebookAI/xlm-roberta-large --target tatoeba --layer 14 --data data --out predictions`"
)


def predict(
    model: Annotated[
        str,
        typer.Option(help="folder of `tasksearch train`; for retrieval and mining any encoder", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="folder of the predictions, in XTREME's layout", show_default=False)],
    target: Annotated[
        str | None,
        typer.Option(help="target task [default: the model's own]", show_default=False, autocompletion=complete_target),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option(help="suite of the target [default: the model's, else xtreme]", autocompletion=complete_suite),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="folder of the suite's data [default: $TASKSEARCH_DATA]")] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(help="language, repeatable [default: all whose data are there]", autocompletion=complete_language),
    ] = None,
    split: Annotated[str | None, typer.Option(help="split of the data [default: the one that is reported]")] = None,
    labels: Annotated[Path | None, typer.Option(help="folder for the label files too, as `score xtreme --gold` reads")] = None,
    layer: Annotated[int | None, typer.Option(help="retrieval and mining: hidden state that is pooled")] = None,
    pooling: Annotated[str | None, typer.Option(help="retrieval and mining", **choice(*POOLINGS))] = None,
    prefix: Prefix = None,
    centering: Annotated[bool, typer.Option("--centering", help="retrieval and mining: subtract each side's mean")] = False,
    max_length: Annotated[int | None, typer.Option(help="retrieval and mining: tokens per sentence")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Writes a model's predictions as XTREME's files, so that its evaluation, or `score xtreme`, scores them."""
    from tasksearch.study.embedding import Embedding
    from tasksearch.study.prediction import predict_target

    embedding = None
    if layer is not None or pooling is not None or prefix is not None or centering or max_length is not None:
        embedding = Embedding(
            model=model, layers=() if layer is None else (layer,), pooling=pooling, prefix=prefix,  # type: ignore[arg-type]
            centering=centering, max_length=max_length or 512,
        )  # fmt: skip

    def told(name: str, done: int, every: int) -> None:
        if not (quiet or as_json):
            print(f"{name}: {done} of {every} languages", file=sys.stderr, flush=True)

    done = predict_target(
        model, out, target=target, suite=suite, data=data, languages=tuple(language or ()), split=split, labels=labels,
        embedding=embedding, on_language=told,
    )  # fmt: skip
    if as_json:
        print_json(done.to_json())
        return
    console = open_console()
    said = ", ".join(f"{name} {value}" for name, value in done.settings.items())
    console.print(
        f"{done.target}: {len(done.files)} languages in {out / done.target} ({said})", highlight=False, soft_wrap=True
    )
    if done.missing:
        console.print(f"no data here: {' '.join(done.missing)}", highlight=False, soft_wrap=True)
