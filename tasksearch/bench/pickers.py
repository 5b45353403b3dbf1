"""The tool's own pickers (`analysis.picker` has their contract), and predictors of mixes that were not trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tasksearch.analysis.picker import Array, Picker, Shown
from tasksearch.core.schedule import Schedule
from tasksearch.search.gain_table import MIN_MIXES
from tasksearch.search.surrogate.multitask_gp import surrogate_over

Predictor = Callable[[Shown, Sequence[Schedule]], Array]
"""(what was trained, other mixes) → predicted gains of the others, shape (others, languages)."""


def bare(shown: Shown) -> Array:
    """Return the raw scores: the pick is every language's maximum."""
    return shown.gains


def pooled(shown: Shown) -> Array:
    """Return the surrogate's shrunken scores, their common part from the mean over languages: see `GainTable.by_language`."""
    if len(shown.schedules) < MIN_MIXES:
        return shown.gains
    surrogate = surrogate_over(shown.schedules)
    seeds = shown.seeds if len(shown.seeds) else None
    each = surrogate.posterior(shown.gains, seeds).mean
    mean = shown.gains.mean(axis=1, keepdims=True)
    together = surrogate.posterior(mean, None if seeds is None else seeds.mean(axis=1, keepdims=True)).mean
    return np.asarray(each - each.mean(axis=1, keepdims=True) + together)


def single(shown: Shown) -> Array:
    """Return the shrunken mean over languages: the pick is one mix for all."""
    return np.broadcast_to(pooled(shown).mean(axis=1, keepdims=True), shown.gains.shape)


PICKERS: dict[str, Picker] = {"pooled": pooled, "bare": bare, "single": single}


def surrogate_elsewhere(shown: Shown, others: Sequence[Schedule]) -> Array:
    """Predict mixes that were not trained with the surrogate."""
    return surrogate_over(shown.schedules).elsewhere(others, shown.gains)


def ridge(shown: Shown, others: Sequence[Schedule], *, power: float = 1.0) -> Array:
    """Predict by ridge regression on shares ** power, with the penalty by generalised cross-validation (Golub et al. 1979)."""
    names = sorted({task for schedule in shown.schedules for task in schedule.tasks})
    here, there = (_shares(mixes, names) ** power for mixes in (shown.schedules, others))
    centre, level = here.mean(axis=0), shown.gains.mean(axis=0)
    left, values, right = np.linalg.svd(here - centre, full_matrices=False)
    inside = left.T @ (shown.gains - level)
    best = np.full(len(level), np.inf)
    found = np.zeros((len(others), len(level)))
    for penalty in np.geomspace(1e-4, 1e2, 25) * values[0] ** 2:
        kept = values**2 / (values**2 + penalty)
        error = np.square(shown.gains - level - left @ (kept[:, np.newaxis] * inside)).sum(axis=0)
        score = error / (len(here) - 1 - kept.sum()) ** 2
        slope = right.T @ ((values / (values**2 + penalty))[:, np.newaxis] * inside)
        found = np.where(score < best, level + (there - centre) @ slope, found)
        best = np.minimum(score, best)
    return found


def root_ridge(shown: Shown, others: Sequence[Schedule]) -> Array:
    """Predict by ridge regression on square roots of shares."""
    return ridge(shown, others, power=0.5)


PREDICTORS: dict[str, Predictor] = {"surrogate": surrogate_elsewhere, "ridge, raw": ridge, "ridge, root": root_ridge}


def _shares(schedules: Sequence[Schedule], names: Sequence[str]) -> Array:
    return np.array([[float(schedule.share(name)) for name in names] for schedule in schedules])
