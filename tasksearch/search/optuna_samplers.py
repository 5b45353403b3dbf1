"""From `--sampler` to an Optuna sampler: the project's TPE, one of Optuna's by its dotted name, or a user's by file.

A sampler is built anew for every proposal, from a seed that is derived from the study's seed and the proposal's place: so a
proposal stays a pure function of what was told. A sampler that takes no `seed` may draw from elsewhere: a study with it is
marked as not reproducible.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler

from tasksearch.core.errors import BadInput, UnknownName, first_line
from tasksearch.core.own_files import is_reference, referred, takes
from tasksearch.core.study import SAMPLERS

WANTED = "a class of Optuna samplers, or a function (seed) -> Optuna sampler"
_PREFIX = "optuna.samplers."


def check_sampler(name: str) -> None:
    """Builds the sampler once.

    Raises:
        UnknownName: none of that name, with the nearest.
        BadInput: one that cannot be built from a seed alone.
    """
    if name not in SAMPLERS:
        build_sampler(name, 0)


def takes_seed(name: str) -> bool:
    """Whether proposals of the sampler are reproducible: it takes a seed."""
    return name in SAMPLERS or takes(_maker(name), "seed")


def build_sampler(name: str, seed: int) -> BaseSampler:
    """A fresh sampler; raises as `check_sampler`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # `group` is experimental, and meant; so are whole samplers
        if name == "tpe":
            return TPESampler(multivariate=True, group=True, constant_liar=True, seed=seed % 2**32)
        make = _maker(name)
        needed = [p.name for p in _parameters(make) if p.default is p.empty and p.name != "seed" and p.kind <= p.KEYWORD_ONLY
                  and p.kind is not p.VAR_POSITIONAL]  # fmt: skip
        if needed:
            raise BadInput(
                f"sampler {name} needs {', '.join(needed)}; expected one that a seed alone makes: wrap it in a function"
            )
        try:
            made = make(seed=seed % 2**32) if takes(make, "seed") else make()
        except Exception as fault:  # whatever a user's file does
            raise BadInput(f"sampler {name} cannot be built: {type(fault).__name__}: {first_line(fault)}") from None
    if not isinstance(made, BaseSampler):
        raise BadInput(f"sampler {name} gave {type(made).__name__}; expected {WANTED}")
    return made


def _parameters(make: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(make).parameters.values())
    except (TypeError, ValueError):
        return []


def _maker(name: str) -> Callable[..., Any]:
    if is_reference(name):
        found: Callable[..., Any] = referred(name, WANTED)
        return found
    known = {f"{_PREFIX}{each}": getattr(optuna.samplers, each) for each in optuna.samplers.__all__ if each.endswith("Sampler")}
    known.pop(f"{_PREFIX}BaseSampler")
    if name not in known:
        raise UnknownName("sampler", name, [*SAMPLERS, *known])
    return known[name]  # type: ignore[no-any-return]
