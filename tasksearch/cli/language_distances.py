"""`tasksearch languages --distance-from | --clusters | --label`: distances between languages and what follows from them."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tasksearch.cli.printing import compact_table, open_console, print_json
from tasksearch.core.errors import BadInput

if TYPE_CHECKING:
    from tasksearch.analysis.languages.distances import LanguageDistances
    from tasksearch.tasks.languages import Language

_WITHOUT = (
    "Without urielplus: script, family and size alone. Install it for syntax, sounds and place: pip install "
    "'tasksearch[distances]'."
)


def language_choice(suite: str | None, group: str | None, languages: Sequence[str], base: str | None) -> list[Language]:
    """Return the languages that are meant, sorted by code: those named, else the suite's, else all; and the base.

    Raises:
        UnknownLanguage: a code that is in no table.
    """
    from tasksearch.tasks.catalogue import load_suite
    from tasksearch.tasks.languages import known_languages, language_groups, language_of

    loaded = load_suite(suite) if suite else None
    own = {one.code: one for one in loaded.own_languages} if loaded else {}

    def described(code: str) -> Language:
        return own.get(code) or language_of(code)

    meant = {one.code: one for one in map(described, languages or (loaded.languages if loaded else known_languages()))}
    if group:
        kept = language_groups(meant, own | meant).get(group, ())
        meant = {code: one for code, one in meant.items() if code in kept}
    if base is not None:
        meant.setdefault(described(base).code, described(base))
    return [meant[code] for code in sorted(meant)]


def show_distances(languages: Sequence[Language], base: str, *, as_json: bool) -> None:
    """Print how far each language is from `base`, part by part, with the number of shared features, the nearest first."""
    from tasksearch.tasks.languages import language_of

    found = _distances(languages)
    own = {one.code: one for one in languages}
    code = base if base in own else language_of(base).code
    here, combined, known = found.place(code), found.combined, found.known
    rows: list[dict[str, Any]] = []
    for place in sorted(range(len(languages)), key=lambda place: (combined[here, place], found.codes[place])):
        if place == here:
            continue
        parts = {name: _number(matrix[here, place]) for name, matrix in found.parts.items()}
        rows.append(
            {
                "code": found.codes[place],
                "name": own[found.codes[place]].name,
                "read_as": found.read.get(found.codes[place], ""),
                "combined": _number(combined[here, place]),
                "parts_known": int(known[here, place]),
                "parts": parts,
                "shared_features": {name: int(matrix[here, place]) for name, matrix in found.shared.items()},
            }
        )
    if as_json:
        print_json({"from": code, "uriel": bool(found.shared), "languages": rows})
        return
    headings = ("code", "name", "combined", *found.parts)
    cells = [[row["code"], row["name"], _shown(row["combined"]), *(_told(row, name) for name in found.parts)] for row in rows]
    console = open_console()
    console.print(compact_table(headings, cells, right=headings[2:]))
    console.print(
        f"Distance from {code}, 0 to 1; behind the slash on how many shared features it rests, – where they are too few. "
        "combined: the mean of the parts that are known, a choice of this project.",
        highlight=False,
    )
    _say_without(found)


def show_clusters(languages: Sequence[Language], count: int, *, as_json: bool) -> None:
    """Print the languages in clusters."""
    from tasksearch.analysis.languages.choices import clusters_of

    found = _distances(languages)
    groups = clusters_of(found, count)
    if as_json:
        print_json({"uriel": bool(found.shared), "clusters": [list(group) for group in groups]})
        return
    console = open_console()
    for number, group in enumerate(groups, 1):
        console.print(f"{number}: {' '.join(group)}", highlight=False, markup=False)
    _say_without(found)


def show_labelling(languages: Sequence[Language], budget: float, costs: Sequence[str], *, as_json: bool) -> None:
    """Print which languages to label for a cost."""
    from tasksearch.analysis.languages.choices import to_label

    found = _distances(languages)
    chosen = to_label(found, budget, costs=dict(map(_cost, costs)))
    names = {one.code: one.name for one in languages}
    rows = [{"code": one.code, "name": names[one.code], "cost": one.cost, "mean_distance": one.apart} for one in chosen]
    if as_json:
        print_json({"uriel": bool(found.shared), "budget": budget, "languages": rows})
        return
    console = open_console()
    cells = [[one.code, names[one.code], f"{one.cost:g}", f"{one.apart:.3f}"] for one in chosen]
    console.print(compact_table(("code", "name", "cost", "mean distance"), cells, right=("cost", "mean distance")))
    console.print(
        "mean distance: of every language to its nearest labelled one, English and the languages so far being labelled. It is "
        "a hint from distances alone, not a measured gain.",
        highlight=False,
    )
    _say_without(found)


def _distances(languages: Sequence[Language]) -> LanguageDistances:
    from tasksearch.analysis.languages.distances import language_distances

    return language_distances(languages, uriel=importlib.util.find_spec("urielplus") is not None)


def _say_without(found: LanguageDistances) -> None:
    if not found.shared:
        open_console().print(_WITHOUT, highlight=False, markup=False)


def _cost(text: str) -> tuple[str, float]:
    from tasksearch.tasks.languages import canonical

    code, equals, value = text.partition("=")
    try:
        cost = float(value)
    except ValueError:
        equals = ""
        cost = 0.0
    if not equals or not math.isfinite(cost):
        raise BadInput(f"--cost {text!r}; expected CODE=NUMBER, such as sw=2.5")
    return canonical(code.strip()), cost


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 4)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _told(row: dict[str, Any], part: str) -> str:
    shared = row["shared_features"].get(part)
    return _shown(row["parts"][part]) + ("" if shared is None else f"/{shared}")
