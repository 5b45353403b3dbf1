"""Shell completion of option values, and options with a fixed list of values.

Completers are passed to `typer.Option(autocompletion=…)`. They read the words typed so far (`--suite`, `--target`, the study),
load neither torch nor Ray nor MLflow, and offer nothing if an error occurs: completion must not print errors.

    tasksearch --install-completion     # once per shell
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import typer

Offer = tuple[str, str]
"""(value, text that the shell shows beside it; may be empty)."""


def _never_fails(completer: Callable[[typer.Context, str], Iterable[Offer]]) -> Callable[[typer.Context, str], list[Offer]]:
    """Wrap a completer: keep offers that start with what was typed, and offer nothing if it raises."""

    @functools.wraps(completer)
    def complete(ctx: typer.Context, incomplete: str) -> list[Offer]:
        try:
            return [(value, about) for value, about in completer(ctx, incomplete) if value.startswith(incomplete)]
        except Exception:
            return []

    return complete


@_never_fails
def complete_space(ctx: typer.Context, incomplete: str) -> Iterable[Offer]:
    """Offer the built-in search spaces."""
    from tasksearch.study.spaces import known_spaces

    return [(name, space.summary) for name, space in known_spaces().items()]


@_never_fails
def complete_suite(ctx: typer.Context, incomplete: str) -> Iterable[Offer]:
    """Offer the suites."""
    from tasksearch.tasks.catalogue import SUITES, load_suite

    return [(name, load_suite(name).summary) for name in SUITES]


@_never_fails
def complete_target(ctx: typer.Context, incomplete: str) -> Iterable[Offer]:
    """Offer the targets of `--suite` or of the study, or else of the lab."""
    return [(card.name, card.summary) for card in _suite(ctx).targets]


@_never_fails
def complete_task(ctx: typer.Context, incomplete: str) -> Iterable[Offer]:
    """Offer the intermediate tasks of `--suite` or of the study."""
    return [(card.name, card.summary) for card in _suite(ctx).intermediates]


@_never_fails
def complete_language(ctx: typer.Context, incomplete: str) -> Iterable[Offer]:
    """Offer the languages of the given targets, study or suite; without a suite, all known languages."""
    return [(code, _name_of(code)) for code in _languages(ctx)]


@_never_fails
def complete_row(ctx: typer.Context, incomplete: str) -> Iterable[Offer]:
    """Offer the rows of a study's verdict: its languages, language groups that contain some of them, and `all`."""
    spoken = _languages(ctx)
    groups = {name: members for name, members in _suite(ctx).language_groups.items() if {*members} & {*spoken}}
    return [
        *((code, _name_of(code)) for code in spoken),
        *((name, f"{len(members)} languages") for name, members in groups.items()),
        ("all", "every language but English"),
    ]


@_never_fails
def complete_study(ctx: typer.Context, incomplete: str) -> Iterable[Offer]:
    """Offer the studies in `studies/` and the folders on the path being typed."""
    typed = incomplete.rpartition("/")[0]
    places = [typed] if "/" in incomplete else [".", "studies"]
    found = [folder for place in places for folder in sorted(Path(place or "/").iterdir()) if folder.is_dir()]
    offers = {str(folder): (folder / "study.json").is_file() for folder in found if not folder.name.startswith(".")}
    return [(path, "study") if held else (f"{path}/", "") for path, held in offers.items()]


def complete_words(*words: str, commas: bool = False) -> Callable[[typer.Context, str], list[Offer]]:
    """Return a completer for a fixed list; with `commas` for several values, without those already named."""

    @_never_fails
    def complete(ctx: typer.Context, incomplete: str) -> Iterable[Offer]:
        if not commas:
            return [(word, "") for word in words]
        before, comma, _ = incomplete.rpartition(",")
        return [(before + comma + word, "") for word in words if word not in before.split(",")]

    return complete


def choice(*words: str) -> dict[str, Any]:
    """Return arguments of `typer.Option` for a fixed list of values: shown in `--help`, completed, and checked when parsed.

    A value that is not in the list raises `UnknownName`, which prints one line with the nearest value rather than a framed
    usage error.

        sampler: Annotated[str, typer.Option(help="how trials are proposed", **choice("tpe", "random"))] = "tpe"
    """

    def check(ctx: typer.Context, param: typer.CallbackParam, value: str | None) -> str | None:
        from tasksearch.cli.printing import one_of

        if value is not None and not ctx.resilient_parsing:
            one_of(max(param.opts, key=len), value, words)
        return value

    return {"metavar": "|".join(words), "autocompletion": complete_words(*words), "callback": check}


def _suite(ctx: typer.Context) -> Any:
    from tasksearch.tasks.catalogue import load_suite

    if config := _study(ctx):
        return load_suite(config.suite)
    return load_suite(ctx.params.get("suite") or "lab")


def _study(ctx: typer.Context) -> Any:
    """Return the configuration of the study named on the command line, or None."""
    from tasksearch.records.ledger import Ledger

    folder = ctx.params.get("study")
    folder = folder[0] if isinstance(folder, list | tuple) and folder else folder
    return Ledger(Path(folder)).config() if folder else None


def _languages(ctx: typer.Context) -> tuple[str, ...]:
    if config := _study(ctx):
        return tuple(config.languages)
    from tasksearch.tasks.languages import known_languages

    if ctx.params.get("suite") is None:
        return tuple(known_languages())
    suite, targets = _suite(ctx), ctx.params.get("target") or ctx.params.get("targets") or ()
    targets = [targets] if isinstance(targets, str) else targets
    spoken = {language for name in targets for language in suite.card(name).languages}
    return tuple(sorted(spoken)) or tuple(suite.languages)


def _name_of(code: str) -> str:
    """Return the English name of a language; empty if it is in no table, like the lab's."""
    from tasksearch.core.errors import UnknownName
    from tasksearch.tasks.languages import language_of

    try:
        return language_of(code).name
    except UnknownName:
        return ""
