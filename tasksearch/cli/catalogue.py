"""`tasksearch tasks` and `languages`: the tasks and languages of the suites."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tasksearch.cli.completion import choice, complete_suite
from tasksearch.cli.options import Json
from tasksearch.cli.printing import compact_table, open_console, print_json

TASKS_EXAMPLES = "Examples: `tasksearch tasks --suite lowres`; `tasksearch tasks --json`"
GROUPS = ("low", "low+", "unseen")
LANGUAGES_EXAMPLES = "Examples: `tasksearch languages`; `tasksearch languages --group unseen --json`"


def tasks(
    suite: Annotated[
        str | None,
        typer.Option(help="one suite, or a file of your own [default: all of the package]", autocompletion=complete_suite),
    ] = None,
    as_json: Json = False,
) -> None:
    """Every task of the suites: kind, languages, what it trains on, licence, what it needs and its limits."""
    from tasksearch.study.setup import check_metrics
    from tasksearch.tasks.catalogue import SUITES, load_suite

    found = [check_metrics(load_suite(name)) for name in ([suite] if suite else SUITES)]
    rows = [_task(one.name, card) for one in found for card in (*one.cards, *one.texts)]
    if as_json:
        print_json({"tasks": rows})
        return
    console = open_console()
    headings = ("suite", "task", "role", "kind", "metric", "languages")
    cells = [[row["suite"], row["name"], row["role"], row["kind"], row["metric"], str(len(row["languages"]))] for row in rows]
    console.print(compact_table(headings, cells, right=("languages",)))
    for row in rows:
        licence = (row["licence"] or "licence not stated") + (" (non-commercial)" if row["non_commercial"] else "")
        told = "; ".join(filter(None, (licence, row["needs"] and f"needs {row['needs']}", row["note"])))
        console.print(f"{row['name']}: {told}", highlight=False, markup=False)


def _task(suite: str, card: Any) -> dict[str, Any]:
    plain = ("name", "role", "kind", "summary", "metric", "chance", "licence", "non_commercial", "reference", "needs", "note")
    row = {"suite": suite} | {field: getattr(card, field) for field in plain}
    return row | {
        "languages": list(card.languages),
        "labels": list(card.labels),
        "trains_on": list(card.trains_on),
        "selects": card.select_split,
        "reports": card.report_split,
        "cut_by_document": list(card.languages if card.select_split == card.report_split else card.one_split),
        "expected": [{"language": language, "split": split, "examples": n} for language, split, n in card.expected],
    }


def languages(
    suite: Annotated[
        str | None, typer.Option(help="with the languages that a suite's file describes", autocompletion=complete_suite)
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(help="low: under 5 GiB of CC-100; low+: under 10; unseen: none", **choice(*GROUPS)),
    ] = None,
    as_json: Json = False,
) -> None:
    """Every language by the code used here, with its other codes, script, family, and how much of it XLM-R has read.

    Sizes: CC-100, from the XLM-R paper's table 6; `–` is unknown to us, not small.
    """
    from tasksearch.tasks.catalogue import load_suite
    from tasksearch.tasks.languages import known_languages, language_groups

    own = {one.code: one for one in load_suite(suite).own_languages} if suite else {}
    known = known_languages() | own
    groups = language_groups(known, own)
    chosen = [known[code] for code in sorted(groups[group] if group else known)]
    rows = [
        {
            "code": one.code, "name": one.name, "other_codes": list(one.others), "script": one.script, "family": one.family,
            "xlm_r_saw_it": one.seen, "cc100_gib": one.gib,
            "groups": [name for name, members in groups.items() if one.code in members],
        }
        for one in chosen
    ]  # fmt: skip
    if as_json:
        print_json({"languages": rows})
        return
    cells = [
        [
            one.code, one.name, " ".join(one.others), one.script, {True: "yes", False: "no", None: "unknown"}[one.seen],
            "–" if one.gib is None else f"{one.gib:.1f}", one.family.partition(",")[0],
        ]
        for one in chosen
    ]  # fmt: skip
    headings = ("code", "name", "other codes", "script", "XLM-R", "GiB", "family")
    console = open_console()
    console.print(compact_table(headings, cells, right=("GiB",)))
    console.print(
        "XLM-R: whether its pretraining held the language (no: group unseen). GiB: of its text in CC-100, – where that is not "
        "known; group low is under 5, low+ under 10.",
        highlight=False,
    )
