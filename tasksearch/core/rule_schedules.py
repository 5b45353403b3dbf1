"""Schedules by mixture rules: what a search space's rule words mean, and the schedule of a word, tasks and sizes.

A word is `explicit` (a weight for each task), a rule as `core.mixture_rule` writes it (`capped(131072)`), `RULE->RULE` (one
stage that moves from the first mixture to the second) or `curriculum:RULE` (stage k of p trains the first k of p tasks). Its
*form* is the word without the numbers, which a sampler chooses apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture
from tasksearch.core.mixture_rule import RULES, MixtureRule
from tasksearch.core.schedule import Schedule, Stage

EXPLICIT = "explicit"
CURRICULUM = "curriculum:"
ANNEALED = "->"
_NUMBERS = {"capped": "cap", "temperature": "temperature"}
"""Rule → the parameter that it needs."""


def rules_in(word: str) -> tuple[MixtureRule, ...]:
    """Return the rules in a word, at most two; none for `explicit`.

    Raises:
        BadInput: there is no such rule, a rule lacks its number, or the number is out of range.
    """
    if word == EXPLICIT:
        return ()
    parts = [word.removeprefix(CURRICULUM)] if word.startswith(CURRICULUM) else word.split(ANNEALED, 1)
    return tuple(MixtureRule.parse(part) for part in parts)


@dataclass(frozen=True, kw_only=True)
class RuleChoices:
    """What a sampler chooses in a space with mixture rules: a form, and a number where the form needs one."""

    forms: tuple[str, ...]
    cap: tuple[int, ...]
    temperature: tuple[float, ...]


@lru_cache(maxsize=64)
def choices_of(words: tuple[str, ...]) -> RuleChoices:
    """Return the forms of these words, and all caps and temperatures in them: each goes with every form that needs one."""
    rules = [rule for word in words for rule in rules_in(word)]
    return RuleChoices(
        forms=tuple(dict.fromkeys(form_of(word) for word in words)),
        cap=tuple(sorted({rule.cap for rule in rules if rule.cap is not None})),
        temperature=tuple(sorted({rule.temperature for rule in rules if rule.temperature is not None})),
    )


def form_of(word: str) -> str:
    """Return the word without numbers: `uniform->capped`."""
    prefix = CURRICULUM if word.startswith(CURRICULUM) else ""
    return EXPLICIT if word == EXPLICIT else prefix + ANNEALED.join(rule.name for rule in rules_in(word))


def numbers_of(form: str) -> tuple[str, ...]:
    """Return the parameters that a form needs beside itself: `cap`, `temperature`, both or none."""
    return tuple(number for rule, number in _NUMBERS.items() if rule in _names(form))


def is_mixture(form: str) -> bool:
    """Whether a form says only the shares, and not what the stages are: the kind of schedule is then free."""
    return ANNEALED not in form and not has_order(form)


def has_order(form: str) -> bool:
    """Whether a form by itself puts the tasks in an order."""
    return form.startswith(CURRICULUM)


def rules_of(form: str, params: Mapping[str, Any]) -> tuple[MixtureRule, ...]:
    """Return the rules of a form with the numbers in `params`; raise KeyError for one that is missing."""
    return tuple(
        MixtureRule(name=name, **({_NUMBERS[name]: params[_NUMBERS[name]]} if name in _NUMBERS else {}))
        for name in _names(form)
    )


def _names(form: str) -> tuple[str, ...]:
    return tuple(name for name in form.removeprefix(CURRICULUM).split(ANNEALED) if name in RULES)


def annealed_rules(start: MixtureRule, end: MixtureRule, sizes: Mapping[str, int], steps: int) -> Schedule:
    """Return one stage of all tasks that moves linearly from one rule's shares to the other's."""
    return Schedule.annealed(start.mixture(sizes), end.mixture(sizes), steps)


def curriculum(rule: MixtureRule, order: Sequence[str], sizes: Mapping[str, int], steps: int) -> Schedule:
    """Return a stage per task, equally long: the k-th trains the first k tasks of the order, in shares by the rule.

    Raises:
        BadInput: fewer steps than tasks.
    """
    count = len(order)
    if steps < count:
        raise BadInput(f"a curriculum of {count} tasks in {steps} steps; expected at least one step for each stage")
    lengths = [steps * (k + 1) // count - steps * k // count for k in range(count)]
    mixtures = [_mixture(rule, order[: k + 1], sizes) for k in range(count)]
    return Schedule(stages=tuple(Stage(start=m, end=m, steps=n) for m, n in zip(mixtures, lengths, strict=True)))


def _mixture(rule: MixtureRule, tasks: Sequence[str], sizes: Mapping[str, int]) -> Mixture:
    return rule.mixture({task: sizes[task] for task in tasks})
