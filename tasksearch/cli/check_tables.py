"""Output of `tasksearch data check`: a table of counts that fits 80 columns, then lines for what does not fit into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tasksearch.cli.printing import open_console

_MOST_NAMED = 6
_HEADINGS = ("task", "lang.", "found", "expected", "select", "report", "long %", "leak %", "chance")


def print_check(cards: Sequence[Any], rows: Sequence[Any], model: str | None, max_length: int | None, checked: Any) -> None:
    """Print the result of the check; `checked` is None if leakage was not checked."""
    from rich.table import Table

    console = open_console()
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading == "task" else "right", no_wrap=True)
    for card, part, training in _parts(cards, rows):
        table.add_row(*_cells(card, part, checked, training=training))
    console.print(table)
    notes = (*_notes(rows, model, max_length, checked), *_repeats(cards, rows))
    for line in (*notes, *_labels(cards, rows), *_leaks(checked), *_licences(cards)):
        console.print(line, highlight=False, soft_wrap=True)
    for line in (*_missing(cards, rows), *_problems(cards, rows)):
        console.print(line, highlight=False, soft_wrap=True)


def _parts(cards: Sequence[Any], rows: Sequence[Any]) -> Iterator[tuple[Any, Sequence[Any], bool]]:
    """Yield (card, its rows, whether they are training sets) for cards whose data are there."""
    for card in cards:
        for training in (True, False):
            if part := [r for r in rows if r.task == card.name and r.training == training and r.found is not None]:
                yield card, part, training


def _cells(card: Any, part: Sequence[Any], checked: Any, *, training: bool) -> tuple[str, ...]:
    languages = sorted({row.language for row in part})
    long = [row.truncated for row in part if row.truncated is not None]
    guesses = [row.chance for row in part if row.chance is not None]
    return (
        _named(card, training=training),
        languages[0] if len(languages) == 1 else str(len(languages)),
        str(sum(row.found for row in part)),
        _expected(part),
        "" if training else str(sum(row.selects for row in part)),
        "" if training else str(sum(row.reports for row in part)),
        f"{100 * max(long):.1f}" if long else "–",
        "" if training else _share(card, checked),
        "" if training else _between(guesses),
    )


def _named(card: Any, *, training: bool) -> str:
    return f"{card.name} (train)" if training else str(card.name)


def _expected(part: Sequence[Any]) -> str:
    """Return the expected total, or if some splits' counts are unknown, how many of them are known."""
    known = [row.expected for row in part if row.expected is not None]
    if len(known) == len(part):
        return str(sum(known))
    return f"{len(known)} of {len(part)}" if known else "–"


def _share(card: Any, checked: Any) -> str:
    if checked is None or card.name not in checked.targets:
        return "–"
    return f"{100 * max((leak.share for leak in checked.leaks if leak.task == card.name), default=0.0):.2f}"


def _between(values: Sequence[float]) -> str:
    if not values:
        return "–"
    low, high = min(values), max(values)
    return f"{low:.1f}" if high - low < 0.05 else f"{low:.1f}-{high:.1f}"


def _notes(rows: Sequence[Any], model: str | None, max_length: int | None, checked: Any) -> Iterator[str]:
    if any(row.expected is None for row in rows if row.found is not None):
        yield "expected: – or `n of m`: the counts of so many of its splits are known to the card"
    yield "select, report: examples of each half; a language that is missing in the first is only reported"
    if model is None:
        yield "long %: not looked at; give --model"
    else:
        lengths = sorted({row.max_length for row in rows})
        told = f"{max_length} tokens do" if max_length else f"the task's longest sequence ({', '.join(map(str, lengths))}) does"
        yield f"long %: largest share of a split's examples that {told} not hold whole"
    if checked is None:
        yield "leak %: not looked at"
    else:
        yield (
            f"leak %: largest share of a split that stands in one of {len(checked.trained)} training sets, items of under "
            "eight words aside; a study is refused above 0.5 % and more than one item"
        )
        if checked.absent:
            yield f"leak %, not looked at for want of files: {', '.join(checked.absent)}"


def _repeats(cards: Sequence[Any], rows: Sequence[Any]) -> Iterator[str]:
    """Yield what selecting and reporting examples share: within a target nothing is left, between targets all is."""
    for card, part, training in _parts(cards, rows):
        if not training and (left := {row.language: row.repeats for row in part if row.repeats}):
            yield f"{card.name}: {_counts(left)} would select, but the text is also reported: left out"
        for other in dict.fromkeys(name for row in part for name in row.reported_elsewhere):
            shared = {row.language: count for row in part if (count := row.reported_elsewhere.get(other))}
            yield f"{card.name}: {_counts(shared)} select whose text {other} reports"


def _counts(by_language: dict[str, int]) -> str:
    most = sorted(by_language, key=lambda language: (-by_language[language], language))
    named = ", ".join(f"{language} {by_language[language]}" for language in most[:_MOST_NAMED])
    return f"{sum(by_language.values())} examples ({named}{', …' if len(most) > _MOST_NAMED else ''})"


def _labels(cards: Sequence[Any], rows: Sequence[Any]) -> Iterator[str]:
    """Yield the rarest and the most frequent label of each task, and the languages without selection examples."""
    for card, part, training in _parts(cards, rows):
        shares: dict[str, list[float]] = {}
        for row in part:
            for label, share in row.labels.items():
                shares.setdefault(label, []).append(100 * share)
        if shares:
            ends = sorted(shares, key=lambda label: sum(shares[label]))
            told = [f"{label} {_percent(shares[label])}" for label in (ends[0], ends[-1])]
            yield f"labels of {_named(card, training=training)}: {' … '.join(told)}"
        selecting = {row.language for row in part if row.selects}
        alone = [] if training else sorted({row.language for row in part} - selecting)
        if alone:
            yield f"only reported, {card.name}: {' '.join(alone)}"


def _percent(shares: Sequence[float]) -> str:
    low, high = f"{min(shares):.0f}", f"{max(shares):.0f}"
    return f"{low} %" if low == high else f"{low}-{high} %"


def _leaks(checked: Any) -> Iterator[str]:
    for task in dict.fromkeys(leak.task for leak in checked.leaks) if checked else ():
        mine = [leak for leak in checked.leaks if leak.task == task]
        more = f" (and {len(mine) - 1} more: `tasksearch data leakage` lists them)" if len(mine) > 1 else ""
        yield f"LEAKAGE {mine[0]}{more}"


def _licences(cards: Sequence[Any]) -> Iterator[str]:
    for card in cards:
        marks = [card.licence, *(["NON-COMMERCIAL"] if card.non_commercial else []), *([card.note] if card.note else [])]
        yield f"{card.name}: {'; '.join(marks)}"


def _missing(cards: Sequence[Any], rows: Sequence[Any]) -> Iterator[str]:
    for card in cards:
        gone = [row for row in rows if row.task == card.name and row.absent]
        if gone and card.how_to_get:
            yield f"MISSING {card.name}: {_splits(gone)}. To get: {card.how_to_get}"


def _problems(cards: Sequence[Any], rows: Sequence[Any]) -> Iterator[str]:
    """Yield problems that `_missing` does not report."""
    guided = {card.name for card in cards if card.how_to_get}
    for row in rows:
        said = [row.problem] if row.problem and not (row.absent and row.task in guided) else []
        said += [f"{row.skipped} bad records passed over"] if row.skipped else []
        said += [f"{row.left_out} records left out by its rules"] if row.left_out else []
        if said:
            yield f"{row.task} {row.language} {row.split}: {', '.join(said)}"


def _splits(rows: Sequence[Any]) -> str:
    """Format as `en train; dev of ar bg; test of ar bg`."""
    trained = [f"{row.language} {row.split}" for row in rows if row.training]
    scored: dict[str, list[str]] = {}
    for row in rows:
        if not row.training:
            scored.setdefault(row.split, []).append(row.language)
    return "; ".join([*trained, *(f"{split} of {' '.join(languages)}" for split, languages in scored.items())])
