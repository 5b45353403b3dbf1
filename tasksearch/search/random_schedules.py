"""Random mixes of a space, uniformly over subsets, or every mix of a small space."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations, permutations, product
from typing import Any

from tasksearch.core.rule_schedules import EXPLICIT, has_order, is_mixture
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace, decode, rule_params, suggest
from tasksearch.search.designed_trials import Fixed

_WEIGHTS = range(1, 5)
_SMALL = 4000  # parameter sets; decoding that many takes a second


class _Drawn:
    """Takes the place of an Optuna trial: the subset is given, everything else is drawn uniformly, or log-uniformly."""

    def __init__(self, rng: random.Random, chosen: set[str]) -> None:
        self._rng, self._chosen = rng, chosen

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        kind, _, task = name.partition("/")
        return task in self._chosen if kind == "use" else self._rng.choice(choices)

    def suggest_int(self, name: str, low: int, high: int) -> int:
        return self._rng.randint(low, high)

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        return uniform(self._rng, low, high, log=log)


def uniform(rng: random.Random, low: float, high: float, *, log: bool) -> float:
    """Draw a number in [low, high], uniform or log-uniform."""
    drawn = math.exp(rng.uniform(math.log(low), math.log(high))) if log else rng.uniform(low, high)
    return min(high, max(low, drawn))


def random_params(space: SearchSpace, rng: random.Random) -> dict[str, Any]:
    """Draw parameters of a valid mix: every allowed subset is equally likely, everything else uniform."""
    counts = range(space.min_tasks, _most(space) + 1)
    size = rng.choices(counts, weights=[math.comb(len(space.tasks), k) for k in counts])[0]
    return suggest(space, _Drawn(rng, set(rng.sample(list(space.tasks), size))))


@lru_cache(maxsize=8)
def every_schedule(space: SearchSpace) -> Mapping[Schedule, dict[str, Any]]:
    """Return every schedule of a small space with its parameters; empty where they are too many, or weights are continuous."""
    explicit = not space.rules or EXPLICIT in space.rules
    if explicit and space.denominator is None and _most(space) > 1:
        return {}
    if sum(_count(space, k) for k in range(space.min_tasks, _most(space) + 1)) > _SMALL:
        return {}
    found: dict[Schedule, dict[str, Any]] = {}
    for wish in _wishes(space):
        params = suggest(space, Fixed(wish))
        schedule = decode(space, params)
        if schedule is not None:
            found.setdefault(schedule, params)
    return found


def _most(space: SearchSpace) -> int:
    return min(len(space.tasks), space.max_tasks or len(space.tasks))


def _count(space: SearchSpace, k: int) -> int:
    """Return the number of parameter sets with k tasks."""
    varied = (space.searched_rates, space.methods, space.translations, space.kept_up)
    choices = math.prod(max(1, len(each)) for each in varied)
    subsets = math.comb(len(space.tasks), k) * len(space.steps) * choices
    if k == 1:
        return subsets
    return subsets * sum(
        (math.factorial(k) if ordered else 1) * (len(_WEIGHTS) ** k if weighted else 1)
        for _, ordered, weighted in _forms(space)
    )


def _forms(space: SearchSpace) -> Iterator[tuple[dict[str, Any], bool, bool]]:
    """Yield every choice of rule and kind of schedule as parameters, whether it has an order, and whether it has weights."""
    for rule in rule_params(space):
        form = rule.get("rule", EXPLICIT)
        if not is_mixture(form):
            yield rule, has_order(form), False
            continue
        for kind in space.schedules:
            yield rule | {"schedule": kind}, kind != "joint", form == EXPLICIT


def _wishes(space: SearchSpace) -> Iterator[dict[str, Any]]:
    for k in range(space.min_tasks, _most(space) + 1):
        varied = (space.searched_rates, space.methods, space.translations, space.kept_up)
        trained = product(*(each or (None,) for each in varied))
        for chosen, steps, (rate, method, data, beside) in product(combinations(space.tasks, k), space.steps, trained):
            base: dict[str, Any] = {f"use/{task}": task in chosen for task in space.tasks}
            base |= {"steps": steps, "learning_rate": rate, "method": method, "translations": data, "kept_up": beside}
            if k == 1:
                yield base
                continue
            for form, ordered, weighted in _forms(space):
                for weights in product(_WEIGHTS, repeat=k) if weighted else [(1,) * k]:
                    shares = {f"weight/{task}": weight for task, weight in zip(chosen, weights, strict=True)}
                    for order in permutations(chosen) if ordered else [chosen]:
                        ranks = {f"rank/{task}": place / (k - 1) for place, task in enumerate(order)}
                        yield base | form | shares | ranks
