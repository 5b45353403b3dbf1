"""`tasksearch data check`: check that all files of a suite are there and contain what its cards state."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasksearch.cli.completion import complete_language, complete_suite, complete_target
from tasksearch.cli.options import Json
from tasksearch.cli.printing import print_json, refuse_beside

CHECK_EXAMPLES = (
    "Examples: `tasksearch data check --suite lowres --data ../shared/data`; "
    "`tasksearch data check --suite lowres --target udpos --language sw --model FacebookAI/xlm-roberta-base --json`"
)


def check(
    suite: Annotated[
        str,
        typer.Option(help="suite of tasks: a name, or a file of your own (.toml, .py)", autocompletion=complete_suite),
    ],
    data: Annotated[Path | None, typer.Option(help="folder of the suite's data [default: $TASKSEARCH_DATA]")] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="target task, repeatable [default: all]", autocompletion=complete_target)
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="language by any code, repeatable [default: all]", autocompletion=complete_language)
    ] = None,
    model: Annotated[str | None, typer.Option(help="whose tokenizer says what is too long [default: not looked at]")] = None,
    max_length: Annotated[
        int | None, typer.Option(min=8, help="tokens of the longest sequence [default: the suite's for each task]")
    ] = None,
    skip_bad: Annotated[int, typer.Option(min=0, help="bad records passed over in each file, and told")] = 0,
    pretraining_text: Annotated[
        list[Path] | None, typer.Option("--pretraining-text", help="text the model was pretrained on, repeatable")
    ] = None,
    leakage: Annotated[bool, typer.Option("--leakage/--no-leakage", help="compare training with evaluation texts")] = True,
    as_json: Json = False,
) -> None:
    """Per task, language and split: examples found and expected, label balance, what is too long, leakage, licence, what is
    missing.

    Exit code 0 where every task that is not listed as needing something can run, on data that no study is refused for.
    """
    from tasksearch.cli.check_tables import print_check
    from tasksearch.cli.data import told_leak
    from tasksearch.core.errors import UnknownName
    from tasksearch.models.encoder import load_tokenizer
    from tasksearch.study.check import check_data, longest_of
    from tasksearch.study.coverage import covered_languages
    from tasksearch.study.leakage import leakage_of
    from tasksearch.study.setup import check_metrics, data_folder
    from tasksearch.tasks.catalogue import load_suite
    from tasksearch.tasks.labels import with_labels
    from tasksearch.tasks.leakage import above_limit
    from tasksearch.tasks.source import TaskSource

    if model is None:
        refuse_beside("no --model, whose tokenizer counts tokens", max_length=max_length)
    if not leakage:
        refuse_beside("--no-leakage", pretraining_text=pretraining_text)
    known = check_metrics(load_suite(suite))
    folder = data_folder(known, str(data) if data else None) or known.home
    known = with_labels(known, Path(folder))
    names = [card.name for card in known.targets]
    for name in target or ():
        if name not in names:
            raise UnknownName(f"target in suite {known.name!r}", name, names)
    cards = [card for card in known.cards if not target or card.name in target]
    source = TaskSource(Path(folder), None, skip_bad=skip_bad)
    asked_of = [card.name for card in cards if card.role == "target"]
    languages = covered_languages(known, asked_of, language or (), what="check")
    rows = check_data(source, cards, languages, load_tokenizer(model) if model else None, longest_of(known, model, max_length))
    barred = {card.name: card for card in cards if card.needs}
    broken = [row for row in rows if row.problem and row.task not in barred]
    checked = None
    if leakage:
        readable = [
            card for card in cards if card.name not in {row.task for row in rows if row.found is None and not row.absent}
        ]
        checked = leakage_of(source, known, readable, languages, pretraining_text or ())
    refused = above_limit(checked.leaks) if checked else []
    if as_json:
        import dataclasses

        print_json({"ok": not (broken or refused), "data": folder, "rows": [dataclasses.asdict(row) for row in rows],
                    "leaks": [told_leak(leak) for leak in checked.leaks] if checked else None,
                    "licences": {card.name: card.licence for card in cards},
                    "how_to_get": {card.name: card.how_to_get for card in cards if card.how_to_get}})  # fmt: skip
    else:
        print_check(cards, rows, model, max_length, checked)
        if known.name in ("lowres", "xtreme") and any(row.absent for row in rows):
            typer.echo(f"to fetch what is missing: tasksearch data get --suite {suite} --data {folder or 'DIR'}")
    if broken or refused:
        raise typer.Exit(2)
