"""The option `--objective`: parse names of targets, groups, languages and weights into a `core.study.Objective`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.study import Objective
from tasksearch.tasks.languages import canonical
from tasksearch.tasks.suite import Suite


def read_objective(words: str, suite: Suite, targets: Sequence[str], languages: Sequence[str]) -> Objective:
    """Parse an objective such as `nli`, `classification`, `sw`, `nli=2,qa=1` or `tagging,sw`.

    A target, or a group of targets (classification, tagging, qa, retrieval), may have a weight, by default 1. A group's weight
    is shared equally by its targets; the weights of a name that is given twice add up. A language or a group of languages
    restricts the objective to it; without one every language except English counts. A name that is both a target and a group
    means the target.

    Args:
        words: the option's text, names separated by commas.
        suite: the study's suite.
        targets, languages: of the study.

    Raises:
        UnknownName: a name that the study does not have.
        BadInput: a weight that is not a positive number, a weight on a language, or a combination that nothing is scored in.
    """
    groups: dict[str, list[str]] = {}
    for target in targets:
        groups.setdefault(suite.card(target).group, []).append(target)
    spoken = {name: [code for code in codes if code in languages] for name, codes in suite.language_groups.items()}
    spoken |= {code: [code] for code in languages}
    weights: dict[str, float] = {}
    counted: set[str] = set()
    for word in (part.strip() for part in words.split(",")):
        name, given, weight = (part.strip() for part in word.partition("="))
        if name in targets or name in groups:
            members = [name] if name in targets else groups[name]
            share = _weight(word, weight) if given else 1.0
            for target in members:
                weights[target] = weights.get(target, 0.0) + share / len(members)
            continue
        codes = spoken.get(name) or spoken.get(canonical(name))
        if not codes:
            raise UnknownName("target, group or language of the study", name, {*targets, *groups, *spoken})
        if given:
            raise BadInput(f"--objective {word!r}: {name!r} is a language; expected a weight on a target or a group alone")
        counted.update(codes)
    _check_scored(words, suite, weights or dict.fromkeys(targets, 1.0), counted)
    return Objective(targets=tuple(sorted(weights.items())), languages=tuple(sorted(counted)))


def _weight(word: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        raise BadInput(f"--objective {word!r}: {text!r} is no weight; expected a positive number, such as nli=2")
    return weight


def _check_scored(words: str, suite: Suite, targets: dict[str, float], languages: set[str]) -> None:
    if not languages or any(set(suite.card(target).languages) & languages for target in targets):
        return
    raise BadInput(
        f"--objective {words!r}: {', '.join(sorted(targets))} is not scored in {', '.join(sorted(languages))}; "
        f"expected some of {', '.join(sorted({code for target in targets for code in suite.card(target).languages}))}"
    )
