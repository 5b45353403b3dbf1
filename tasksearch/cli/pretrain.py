"""`tasksearch pretrain`: pretrain a small multilingual model from raw text, or a checkpoint further, in other languages."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, get_args

import typer

from tasksearch.cli.completion import choice, complete_language
from tasksearch.cli.options import Json, Quiet
from tasksearch.cli.printing import print_json, refuse_beside
from tasksearch.core.plan import Precision

PRECISIONS = get_args(Precision)
PRETRAIN_EXAMPLES = (
    "Example: `tasksearch pretrain --data DIR --language sw --language te --language am --out models/small`; then "
    "`tasksearch run --suite lowres --data DIR --model models/small`. A checkpoint in a further language: "
    "`tasksearch pretrain --from FacebookAI/xlm-roberta-base --data DIR --language yo --new-pieces 2000 --out models/yo`"
)


def pretrain(
    language: Annotated[
        list[str],
        typer.Option(
            "--language",
            "--languages",
            help="language, repeatable; English is added",
            autocompletion=complete_language,
        ),
    ],
    out: Annotated[Path, typer.Option(help="folder of the model", show_default=False)],
    data: Annotated[
        Path | None,
        typer.Option(help="folder with pretrain/SOURCE/LANGUAGE.txt.gz, aligned by line [default: $TASKSEARCH_DATA]"),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="checkpoint to go on from: hub id or folder [default: a new model]")
    ] = None,
    new_pieces: Annotated[
        int, typer.Option(min=0, help="with --from: extend its vocabulary by pieces of the languages' text")
    ] = 0,
    steps: Annotated[int, typer.Option(min=1, help="optimiser steps")] = 4000,
    batch_size: Annotated[int, typer.Option(min=1, help="rows of a step")] = 32,
    hidden_size: Annotated[int | None, typer.Option(min=8, help="width; a multiple of --heads [default: 192]")] = None,
    layers: Annotated[int | None, typer.Option(min=1, help="transformer blocks [default: 3]")] = None,
    heads: Annotated[int | None, typer.Option(min=1, help="attention heads [default: 3]")] = None,
    vocabulary: Annotated[int | None, typer.Option(min=300, help="pieces of the tokenizer [default: 16000]")] = None,
    max_length: Annotated[int, typer.Option(min=16, help="tokens of the longest sequence")] = 128,
    learning_rate: Annotated[float | None, typer.Option(help="peak learning rate [default: 1e-3, with --from 1e-4]")] = None,
    tlm_share: Annotated[float, typer.Option(min=0, max=1, help="share of rows that are translation pairs")] = 0.5,
    precision: Annotated[str, typer.Option(help="of the forward and backward passes", **choice(*PRECISIONS))] = "fp32",
    seed: Annotated[int, typer.Option(help="of weights, rows and masks")] = 0,
    source: Annotated[
        list[str] | None, typer.Option(help="folder under pretrain/, repeatable [default: all free ones]")
    ] = None,
    non_commercial: Annotated[bool, typer.Option("--non-commercial", help="take non-commercial sources too")] = False,
    save_every: Annotated[float, typer.Option(min=1, help="seconds between saved states")] = 60.0,
    force: Annotated[bool, typer.Option("--force", help="replace what is in --out")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Trains a tokenizer and a small XLM-R-shaped model (MLM and TLM). After a kill the same command goes on, to the bit."""
    from tasksearch.core.errors import BadInput, DataMissing, Interrupted

    shape = {"hidden_size": hidden_size, "layers": layers, "heads": heads}
    if start is not None:
        refuse_beside("--from", **shape, vocabulary=vocabulary)
    elif new_pieces:
        raise BadInput("--new-pieces without --from; a new model has --vocabulary pieces")
    width, blocks, several = hidden_size or 192, layers or 3, heads or 3
    if width % several:
        raise BadInput(f"--hidden-size {width} is no multiple of --heads {several}")
    import os

    folder = data or (Path(os.environ["TASKSEARCH_DATA"]) if os.environ.get("TASKSEARCH_DATA") else None)
    if folder is None:
        raise DataMissing("raw text is read from files: give their folder by --data DIR, or set TASKSEARCH_DATA")
    from tasksearch.phases.pretrain import PretrainSettings
    from tasksearch.study.continued import CHECKPOINT_MASKS, CHECKPOINT_RATE
    from tasksearch.study.pretrain import plan_pretraining, pretrain_model

    settings = PretrainSettings(
        steps=steps, batch_size=batch_size, tlm_share=tlm_share, max_length=max_length, hidden_size=width, layers=blocks,
        heads=several, precision=precision, seed=seed, initializer_range=0.02,
        learning_rate=learning_rate or (1e-3 if start is None else CHECKPOINT_RATE),
        mask_share=PretrainSettings.mask_share if start is None else CHECKPOINT_MASKS,
    )  # fmt: skip
    names = [name for given in language for name in given.replace(",", " ").split()]
    plan = plan_pretraining(
        folder,
        names,
        settings,
        vocabulary=vocabulary or 16000,
        start=start or "",
        new_pieces=new_pieces,
        sources=source or (),
        non_commercial=non_commercial,
        save_every=save_every,
    )
    began = told = time.monotonic()

    def tell(step: int, total: int, loss: float) -> None:
        nonlocal told
        if not (quiet or as_json) and (step == total or time.monotonic() - told > 10):
            told = time.monotonic()
            print(f"{told - began:6.0f} s  step {step}/{total}, loss {loss:.2f}", file=sys.stderr, flush=True)

    try:
        begun = pretrain_model(plan, out, force=force, on_step=tell)
    except KeyboardInterrupt:
        raise Interrupted("interrupted; the same command goes on from the last saved state") from None
    languages, seconds = sorted({file.language for file in plan.files}), time.monotonic() - began
    if as_json:
        told_of = {"from": start, **begun} if start else {}
        print_json({"model": str(out), "languages": languages, "steps": steps, "seconds": seconds} | told_of)
    else:
        typer.echo(f"{out}: {len(languages)} languages, {steps} steps, {seconds:.0f} s")
        if begun.get("mlm_head") == "drawn anew":
            typer.echo(f"{start} had no MLM head: one was drawn at random and trained")
        if begun.get("new_pieces"):
            typer.echo(f"{begun['new_pieces']} pieces were added to its vocabulary")
