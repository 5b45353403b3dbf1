"""`tasksearch model`: what a model is, its weights in another type or format, its vocabulary trimmed to some languages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasksearch.cli.completion import choice, complete_language, complete_suite, complete_target
from tasksearch.cli.options import Json
from tasksearch.cli.printing import print_json

app = typer.Typer(no_args_is_help=True, help="Looks at models, converts their weights, trims their vocabularies.")
Model = Annotated[str, typer.Argument(help="model: a folder or a hub id", show_default=False)]
Out = Annotated[Path, typer.Option(help="folder to be made")]
Force = Annotated[bool, typer.Option("--force", help="replace what is in the folder")]
Data = Annotated[Path | None, typer.Option(help="folder of the suite's data [default: $TASKSEARCH_DATA]")]
SuiteName = Annotated[
    str, typer.Option(help="suite of tasks: a name, or a file of your own (.toml, .py)", autocompletion=complete_suite)
]
Target = Annotated[
    list[str] | None,
    typer.Option(help="target whose texts count, repeatable [default: all there are]", autocompletion=complete_target),
]


@app.command(epilog="Example: `tasksearch model info intfloat/multilingual-e5-small`")
def info(model: Model, as_json: Json = False) -> None:
    """Family, shape, template, type and size of the weights, MLM head, languages of a trimmed vocabulary."""
    from tasksearch.core.sizes import shown_size
    from tasksearch.study.models import model_info

    found = model_info(model)
    if as_json:
        print_json(found)
        return
    weights = (
        f"{', '.join(found['weights']) or 'none'}, {shown_size(found['bytes'])}, {', '.join(found['dtypes']) or 'unknown type'}"
    )
    lines = {
        "type": f"{found['type']} (family {found['family']})",
        "shape": f"{found['layers']} layers x {found['width']}, at most {found['tokens']} tokens",
        "vocabulary": f"{found['vocabulary']} rows, {found['pieces']} pieces of the tokenizer",
        "a pair is": " ".join(found["template"]) + (", with token types" if found["token_types"] else ""),
        "weights": weights + (f", {found['parameters']:,} numbers" if found["parameters"] else ""),
        "MLM head": "yes" if found["mlm_head"] else "none: mixes with MLM are refused",
        "no export of": ", ".join(found["no_export"]) or "-: every kind of target has a class in transformers",
        "pooling": found["pooling"] or "none named",
        "prefix": _prefix(found["prefix"], found["prompts"]),
        "trimmed to": ", ".join(found["trimmed_to"]) or "-: the whole vocabulary",
    }
    for name, value in lines.items():
        typer.echo(f"{name:13} {value}")
    if found["weights"] == ["bin"]:
        typer.echo("pickled weights are not read by a study: `tasksearch model convert` makes safetensors of them")


def _prefix(prefix: str, prompts: dict[str, str]) -> str:
    """What stands before a sentence, and the prompts that no sentence gets by default."""
    others = ", ".join(f"{name} {text!r}" for name, text in prompts.items() if text != prefix)
    return (repr(prefix) if prefix else "none by default") + (f"; for --prefix: {others}" if others else "")


@app.command(epilog="Example: `tasksearch model convert ./old --out ./new --dtype bf16`")
def convert(
    model: Model,
    out: Out,
    dtype: Annotated[
        str | None, typer.Option(help="type of the weights [default: as they are]", **choice("fp32", "bf16", "fp16"))
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Writes the weights as safetensors, in another type if wanted. Of pickled files nothing but tensors is read."""
    from tasksearch.cli.printing import one_of
    from tasksearch.core.sizes import shown_size
    from tasksearch.study.models import convert_model

    if dtype is not None:
        one_of("--dtype", dtype, ("fp32", "bf16", "fp16"))
    found = convert_model(model, out, dtype=dtype, force=force)
    if as_json:
        print_json(found)
        return
    typer.echo(f"{out}: weights {shown_size(found['bytes_before'])} before, {shown_size(found['bytes_after'])} now")


@app.command(epilog="Example: `tasksearch model trim FOLDER --out SMALL --data DIR --language sw --language yo`")
def trim(
    model: Model,
    out: Out,
    language: Annotated[
        list[str], typer.Option(help="language beside English, by any code, repeatable", autocompletion=complete_language)
    ],
    data: Data = None,
    suite: SuiteName = "lowres",
    target: Target = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """A copy with the pieces that the suite's texts need in these languages: cut as before, with the same vectors."""
    from tasksearch.core.sizes import shown_size
    from tasksearch.study.coverage import covered_languages
    from tasksearch.study.models import trim_model
    from tasksearch.study.setup import choose_targets, data_folder
    from tasksearch.tasks.catalogue import load_suite
    from tasksearch.tasks.labels import with_labels

    known = load_suite(suite)
    targets = choose_targets(known, target) if target else ()
    languages = covered_languages(known, targets or [card.name for card in known.targets], language, what="suite")
    folder = Path(data_folder(known, str(data) if data else None) or known.home)
    found = trim_model(
        model, out, suite=with_labels(known, folder), data=folder, languages=languages, targets=targets, force=force
    )
    if as_json:
        print_json(found)
        return
    typer.echo(
        f"{out}: {found['pieces']} of {found['of']} pieces, weights {shown_size(found['bytes_before'])} before, "
        f"{shown_size(found['bytes_after'])} now; {found['compared_pieces']} pieces of text in {', '.join(found['languages'])} "
        f"are cut as before, and vectors differ by {found['largest_difference']:.2g}"
    )
