"""`tasksearch tasks` and `languages`: the tasks and languages of the suites."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tasksearch.cli.completion import choice, complete_language, complete_suite
from tasksearch.cli.language_distances import language_choice, show_clusters, show_distances, show_labelling
from tasksearch.cli.options import Json
from tasksearch.cli.printing import compact_table, open_console, print_json
from tasksearch.core.errors import BadInput

TASKS_EXAMPLES = "Examples: `tasksearch tasks --suite lowres`; `tasksearch tasks --json`"
GROUPS = ("low", "low+", "unseen")
LANGUAGES_EXAMPLES = (
    "Examples: `tasksearch languages`; `tasksearch languages --group unseen --json`; "
    "`tasksearch languages --suite xtreme --distance-from en`; `tasksearch languages --suite xtreme --clusters 6`; "
    "`tasksearch languages --suite xtreme --label 3 --cost sw=2`"
)


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
    language: Annotated[
        list[str] | None,
        typer.Option(help="these alone, repeatable [default: the suite's, else all]", autocompletion=complete_language),
    ] = None,
    distance_from: Annotated[
        str | None, typer.Option(help="how far the languages are from this one", autocompletion=complete_language)
    ] = None,
    clusters: Annotated[int | None, typer.Option(help="divide the languages into so many clusters")] = None,
    label: Annotated[
        float | None, typer.Option(help="which languages to label for this cost, English being labelled already")
    ] = None,
    cost: Annotated[
        list[str] | None, typer.Option(help="cost of labelling a language, such as sw=2.5, repeatable [default: 1]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Every language by the code used here, with its other codes, script, family, and how much of it XLM-R has read.

    Sizes: CC-100, from the XLM-R paper's table 6; `–` is unknown to us, not small. Distances: URIEL's features (`pip install
    'tasksearch[distances]'`), script, family and size; without that package the last three.
    """
    if distance_from is not None or clusters is not None or label is not None:
        asked = [("--distance-from", distance_from), ("--clusters", clusters), ("--label", label)]
        if len(given := [flag for flag, value in asked if value is not None]) > 1:
            raise BadInput(f"{' beside '.join(given)}; expected one of them")
        chosen = language_choice(suite, group, language or [], distance_from)
        if distance_from is not None:
            show_distances(chosen, distance_from, as_json=as_json)
        elif clusters is not None:
            show_clusters(chosen, clusters, as_json=as_json)
        elif label is not None:
            show_labelling(chosen, label, cost or [], as_json=as_json)
        return
    if cost:
        raise BadInput("--cost without --label; expected --label COST, what may be spent in all")
    from tasksearch.tasks.catalogue import load_suite
    from tasksearch.tasks.languages import known_languages, language_groups, language_of

    own = {one.code: one for one in load_suite(suite).own_languages} if suite else {}
    known = known_languages() | own
    groups = language_groups(known, own)
    wanted = set(groups[group]) if group else set(known)
    if language:
        wanted &= {code if code in own else language_of(code).code for code in language}
    chosen = [known.get(code) or language_of(code) for code in sorted(wanted)]
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
