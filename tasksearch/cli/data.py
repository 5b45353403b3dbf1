"""`tasksearch data`: inspect a suite's files before anything is trained on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch.cli.completion import complete_language, complete_suite, complete_target
from tasksearch.cli.options import Json
from tasksearch.cli.printing import compact_table, open_console, print_json

LEAKAGE_EXAMPLES = (
    "Examples: `tasksearch data leakage --suite lowres --data ../shared/data --language en`; "
    "`tasksearch data leakage --suite lowres --data ../shared/data --target masakhaner1 --pretraining corpus/`"
)

app = typer.Typer(no_args_is_help=True, help="What stands in a suite's files.")


@app.command(epilog=LEAKAGE_EXAMPLES)
def leakage(
    suite: Annotated[
        str,
        typer.Option(help="suite of tasks: a name, or a file of your own (.toml, .py)", autocompletion=complete_suite),
    ],
    data: Annotated[Path | None, typer.Option(help="folder of the suite's data [default: $TASKSEARCH_DATA]")] = None,
    pretraining: Annotated[
        list[Path] | None,
        typer.Option(help="text the model was pretrained on: a .txt, .jsonl or .tsv file, or a folder; repeatable"),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(help="target task, repeatable [default: all of the suite]", autocompletion=complete_target),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(help="language, repeatable [default: all of the targets]", autocompletion=complete_language),
    ] = None,
    allow_leakage: Annotated[bool, typer.Option("--allow-leakage", help="exit with 0 whatever is found")] = False,
    as_json: Json = False,
) -> None:
    """Which evaluation items stand in the training and pretraining texts: letter by letter, or by 70 % of their 8-grams.

    Exits with 2 where more than 0.5 % of a split's items do, those of under eight words aside.
    """
    from tasksearch.study.leakage import check_suite
    from tasksearch.study.setup import choose_languages, choose_targets, data_folder
    from tasksearch.tasks.catalogue import load_suite
    from tasksearch.tasks.labels import with_labels
    from tasksearch.tasks.leakage import refuse_leaks
    from tasksearch.tasks.source import TaskSource

    known = load_suite(suite)
    folder = Path(data_folder(known, str(data) if data else None) or known.home)
    known = with_labels(known, folder)
    targets = choose_targets(known, target or ())
    languages = choose_languages(known, targets, language or ())
    checked = check_suite(
        TaskSource(folder, None), known, targets=targets, languages=languages, pretraining_texts=pretraining or ()
    )
    if as_json:
        print_json(_plain(checked))
    else:
        _print(checked)
    if not allow_leakage:
        refuse_leaks(checked.leaks)


def _plain(checked: Any) -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(checked) | {"leaks": [told_leak(leak) for leak in checked.leaks]}


def told_leak(leak: Any) -> dict[str, Any]:
    """Return a leak as plain values, including those computed from its counts."""
    import dataclasses

    return dataclasses.asdict(leak) | {"found": leak.found, "share": leak.share}


def _print(checked: Any) -> None:
    console = open_console()
    if checked.leaks:
        numbers = ("items", "found", "exact", "short", "share %")
        rows = [
            (leak.task, leak.language, leak.split, str(leak.items), str(leak.found), str(leak.exact), str(leak.short),
             f"{100 * leak.share:.2f}", leak.trained)
            for leak in checked.leaks
        ]  # fmt: skip
        console.print(compact_table(("target", "lang.", "split", *numbers, "stands in"), rows, right=numbers))
        for leak in checked.leaks:
            for _, text in leak.shown[:1]:
                console.print(f"{leak.task} {leak.language} {leak.split}, first: {text}", highlight=False, markup=False)
    splits = len({(leak.task, leak.language, leak.split) for leak in checked.leaks})
    console.print(
        f"{checked.items} evaluation items against {len(checked.trained)} training sets: items of {splits} splits found",
        highlight=False,
    )
    if checked.absent:
        console.print(f"not checked, no files: {', '.join(checked.absent)}", highlight=False)
