"""`tasksearch data check`: is everything there that a suite reads, and is it what the cards say?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch.cli.options import Json
from tasksearch.cli.printing import open_console, print_json

CHECK_EXAMPLES = (
    "Examples: `tasksearch data check --suite lowres --data ../shared/data`; "
    "`tasksearch data check --suite lowres --target udpos --language sw --model xlm-roberta-base --json`"
)


def check(
    suite: Annotated[str, typer.Option(help="suite of tasks")],
    data: Annotated[Path | None, typer.Option(help="folder of the suite's data [default: $TASKSEARCH_DATA]")] = None,
    target: Annotated[list[str] | None, typer.Option(help="target task, repeatable [default: all]")] = None,
    language: Annotated[list[str] | None, typer.Option(help="language by any code, repeatable [default: all]")] = None,
    model: Annotated[str | None, typer.Option(help="whose tokenizer says what is too long [default: not looked at]")] = None,
    max_length: Annotated[int, typer.Option(min=8, help="tokens of the longest sequence")] = 256,
    skip_bad: Annotated[int, typer.Option(min=0, help="bad records passed over in each file, and told")] = 0,
    as_json: Json = False,
) -> None:
    """Per task, language and split: examples found and expected, label balance, what is too long, licence, what is missing.

    Exit code 0 where every task that is not listed as needing something can run.
    """
    from tasksearch.core.errors import UnknownName
    from tasksearch.study.check import check_data, loads_tokenizer
    from tasksearch.study.setup import data_folder
    from tasksearch.tasks.catalogue import load_suite
    from tasksearch.tasks.labels import with_labels
    from tasksearch.tasks.languages import canonical
    from tasksearch.tasks.source import TaskSource

    known = load_suite(suite)
    folder = data_folder(known, str(data) if data else None) or ""
    known = with_labels(known, Path(folder))
    names = [card.name for card in known.targets]
    for name in target or ():
        if name not in names:
            raise UnknownName(f"target in suite {suite!r}", name, names)
    cards = [card for card in known.cards if not target or card.name in target]
    source = TaskSource(Path(folder), None, skip_bad=skip_bad)
    languages = [canonical(one) for one in language or ()]
    rows = check_data(source, cards, languages, loads_tokenizer(model) if model else None, max_length)
    barred = {card.name: card for card in cards if card.needs}
    broken = [row for row in rows if row.problem and row.task not in barred]
    if as_json:
        import dataclasses

        print_json({"ok": not broken, "data": folder, "rows": [dataclasses.asdict(row) for row in rows],
                    "licences": {card.name: card.licence for card in cards},
                    "how_to_get": {card.name: card.how_to_get for card in cards if card.how_to_get}})  # fmt: skip
    else:
        _print(cards, rows, model, max_length)
    if broken:
        raise typer.Exit(2)


def _print(cards: Sequence[Any], rows: Sequence[Any], model: str | None, max_length: int) -> None:
    from rich.table import Table

    console = open_console()
    table = Table(box=None, pad_edge=False)
    for heading in (
        "task",
        "languages",
        "found",
        "expected",
        "selects",
        "reports",
        "only reported",
        "labels",
        "too long",
        "chance",
    ):
        table.add_column(heading, justify="left" if heading in ("task", "labels", "only reported") else "right")
    for card in cards:
        mine = [row for row in rows if row.task == card.name]
        for training in (True, False):
            part = [row for row in mine if row.training == training and row.found is not None]
            if part:
                table.add_row(*_cells(card, part, training=training))
    console.print(table)
    if model is None:
        console.print("too long: not looked at; give --model", highlight=False)
    else:
        console.print(f"too long: share of the examples that {max_length} tokens do not hold whole", highlight=False)
    for card in cards:
        marks = [card.licence, *(["NON-COMMERCIAL"] if card.non_commercial else []), *([card.note] if card.note else [])]
        console.print(f"{card.name}: {'; '.join(marks)}", highlight=False)
    guided = {card.name: card.how_to_get for card in cards if card.how_to_get}
    for name, how in guided.items():
        if gone := [row for row in rows if row.task == name and row.absent]:
            console.print(f"MISSING {name}: {_splits(gone)}. To get: {how}", highlight=False, soft_wrap=True)
    told = [row for row in rows if row.problem or row.skipped or row.left_out]
    told = [row for row in told if not (row.absent and row.task in guided)]
    for row in told:
        said = [row.problem] if row.problem else []
        said += [f"{row.skipped} bad records passed over"] if row.skipped else []
        said += [f"{row.left_out} records left out by its rules"] if row.left_out else []
        console.print(f"{row.task} {row.language} {row.split}: {', '.join(said)}", highlight=False, soft_wrap=True)


def _splits(rows: Sequence[Any]) -> str:
    """`en train; dev of ar bg; test of ar bg`."""
    trained = [f"{row.language} {row.split}" for row in rows if row.training]
    scored: dict[str, list[str]] = {}
    for row in rows:
        if not row.training:
            scored.setdefault(row.split, []).append(row.language)
    return "; ".join([*trained, *(f"{split} of {' '.join(languages)}" for split, languages in scored.items())])


def _cells(card: Any, part: Sequence[Any], *, training: bool) -> tuple[str, ...]:
    languages = sorted({row.language for row in part})
    found, expected = sum(row.found for row in part), sum(row.expected or 0 for row in part)
    selecting = {row.language for row in part if row.selects}
    alone = [] if training else [language for language in languages if language not in selecting]
    labels = _range(part)
    long = [row.truncated for row in part if row.truncated is not None]
    guesses = [row.chance for row in part if row.chance is not None]
    return (
        card.name + (" (train)" if training else ""),
        languages[0] if len(languages) == 1 else str(len(languages)),
        str(found),
        str(expected) if expected else "–",
        "" if training else str(sum(row.selects for row in part)),
        "" if training else str(sum(row.reports for row in part)),
        " ".join(alone),
        labels,
        f"{100 * max(long):.1f} %" if long else "–",
        "" if training else _between(guesses),
    )


def _range(part: Sequence[Any]) -> str:
    """The rarest and the commonest label over all rows, each with its smallest and largest share."""
    shares: dict[str, list[float]] = {}
    for row in part:
        for label, share in row.labels.items():
            shares.setdefault(label, []).append(100 * share)
    if not shares:
        return "–"
    by_size = sorted(shares, key=lambda label: sum(shares[label]))
    return " … ".join(f"{label} {min(shares[label]):.0f}-{max(shares[label]):.0f} %" for label in (by_size[0], by_size[-1]))


def _between(values: Sequence[float]) -> str:
    if not values:
        return "–"
    low, high = min(values), max(values)
    return f"{low:.1f}" if high - low < 0.05 else f"{low:.1f}-{high:.1f}"
