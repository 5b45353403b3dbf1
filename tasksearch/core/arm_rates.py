"""Learning rates of the arms of matched pairs, as a user gives them: `joint=2e-5,sequential=1e-5`, or a mapping."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tasksearch.core.errors import BadInput, UnknownName

ARMS = ("joint", "sequential")
"""Kinds of schedule that the arms of a matched pair have."""
ArmRates = tuple[tuple[str, tuple[float, ...]], ...]
"""((kind, rates), …) in the order of `ARMS`; a kind without rates of its own is left out."""


def read_arm_rates(given: Any) -> ArmRates:
    """Parse and check the rates of each arm.

    Args:
        given: a mapping from kind to a rate or several, such pairs, or texts such as `joint=2e-5` or
            `joint=1e-5,2e-5,sequential=1e-5`; of one kind given twice, all rates count.

    Raises:
        UnknownName: there is no such arm.
        BadInput: another form, or a rate that is not a positive number.
    """
    found: dict[str, list[float]] = {}
    for kind, rate in _given(given):
        if kind not in ARMS:
            raise UnknownName("arm of a matched pair", kind, ARMS)
        found.setdefault(kind, []).append(_rate(kind, rate))
    return tuple((kind, tuple(dict.fromkeys(found[kind]))) for kind in ARMS if kind in found)


def arm_rate_words(given: Any) -> tuple[str, ...]:
    """Parse the rates, and return them as texts that ask for the same: `("joint=2e-05", "sequential=1e-05,5e-05")`."""
    return tuple(f"{kind}={','.join(map(repr, rates))}" for kind, rates in read_arm_rates(given))


def _given(given: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, Iterable):
        raise BadInput(f"--arm-learning-rate is {given!r}; {_WISH}")
    for one in given.items() if isinstance(given, Mapping) else given:
        if not isinstance(one, str):
            kind, rates = one
            yield from ((str(kind), rate) for rate in (rates if isinstance(rates, list | tuple) else (rates,)))
            continue
        kind = ""
        for part in one.split(","):
            before, equals, text = part.rpartition("=")
            kind = before.strip() if equals else kind
            if not kind:
                raise BadInput(f"--arm-learning-rate {one!r}; {_WISH}")
            yield kind, text.strip()


def _rate(kind: str, given: Any) -> float:
    try:
        rate = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError):
        rate = math.nan
    if not 0 < rate < math.inf:
        raise BadInput(f"learning rate of the {kind} arm is {given!r}; expected a positive number")
    return rate


_WISH = "expected an arm's rate, such as joint=2e-5,sequential=1e-5"
