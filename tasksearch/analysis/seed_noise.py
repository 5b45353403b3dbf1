"""The luck of seeds: how much the trainings of a plan differ, and how much of that they share with other plans.

The score of plan a on seed s in one row is mean_a + shared_s + own_as: plans trained on the same seed start alike and read the
same batches, so they have a part of their luck in common. Two variances describe a row, each pooled over all plans with several
seeds:

- `total`, of one training: the spread of the trainings of a plan about the plan's mean;
- `own`, of what plans do not share: the residual of plan + seed (two-way analysis of variance).

A linear estimate with weights c on trainings then has the variance  total * Q + own * (P - Q),  where P is the sum of c squared
over trainings and Q the same over seeds, after adding the weights on one seed. Plans that are compared have opposite signs
there, so what they share cancels.

Few trainings say little about a variance. Rows of one kind (the languages) lend each other strength as in Smyth (2004): every
variance is averaged with the mean over these rows, which counts as `PRIOR` degrees of freedom. That number is fixed, not
fitted: rows of one training are correlated, and a fit mistakes that for agreement. In the same way a plan that is noisier than
the others over all rows together scales its part up, and never down.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PRIOR = 4
"""Degrees of freedom that the mean variance over the rows of one kind counts as. Chosen by simulation: docs/verdict.md."""
LEAST_OWN = 6
"""A row without others of its kind needs so many degrees of freedom behind `own`; else plans are taken to share nothing."""
_LENT = 2
"""Degrees of freedom of one seed over all rows of one kind together, where these are correlated."""
_MOST_SHARED = 0.9


@dataclass(frozen=True, kw_only=True, eq=False)
class Trainings:
    """The scores of one plan's trainings in several rows, of which the first is the one in question.

    Attributes:
        scores: shape (rows, seeds).
        seeds: what identifies each seed; equal between plans where they share luck.
    """

    scores: Array
    seeds: tuple[Hashable, ...]


@dataclass(frozen=True, kw_only=True)
class SeedNoise:
    """Variances of one row in squared points, with their degrees of freedom.

    Attributes:
        total, total_df: of one training.
        own, own_df: of the part of a training's luck that other plans do not share.
        shared: share of the luck that plans on one seed have in common, by which trainings are weighed: mean over the rows.
        counted: degrees of freedom behind `total` without the prior.
        noisier: per plan, the factor of its own part, at least 1, and the degrees of freedom that it was learned from.
    """

    total: float
    total_df: float
    own: float
    own_df: float
    shared: float
    counted: int
    noisier: tuple[tuple[float, float], ...]

    def weigh(self, seeds: Sequence[Sequence[Hashable]]) -> list[Array]:
        """Weigh the trainings of one plan, or of two whose difference is wanted, by generalised least squares.

        Returns:
            One array per plan; they sum to 1 and to -1.
        """
        if not self.shared or len(seeds) < 2:
            return [sign * np.full(len(own), 1 / len(own)) for sign, own in zip((1.0, -1.0), seeds, strict=False)]
        every = [seed for own in seeds for seed in own]
        plan = np.repeat(np.eye(2), [len(own) for own in seeds], axis=0)
        same = np.array([[one == other for other in every] for one in every], dtype=float)
        inverse = np.linalg.inv((1 - self.shared) * np.eye(len(every)) + self.shared * same)
        found = np.array([1.0, -1.0]) @ np.linalg.solve(plan.T @ inverse @ plan, plan.T @ inverse)
        return [found[: len(seeds[0])], found[len(seeds[0]) :]]

    def variance(
        self, weights: Sequence[Array], seeds: Sequence[Sequence[Hashable]], plans: Sequence[int]
    ) -> list[tuple[float, float]]:
        """Return the parts of the variance of a weighted sum, each with its degrees of freedom."""
        at: dict[Hashable, float] = {}
        for own, names in zip(weights, seeds, strict=True):
            for weight, seed in zip(own.tolist(), names, strict=True):
                at[seed] = at.get(seed, 0.0) + weight
        by_seed = sum(weight**2 for weight in at.values())
        squares = [float(np.square(own).sum()) for own in weights]
        shared, alone = self.total * by_seed, self.own * max(0.0, sum(squares) - by_seed)
        if not shared + alone:
            return []
        apart, kept = list[tuple[float, float]](), 0.0
        for plan, square in zip(plans, squares, strict=True):
            # A plan's excess over the pool is known from its own seeds alone, and so is more of the whole, the larger that is.
            factor, df = self.noisier[plan]
            whole = (shared + alone) * square / sum(squares) + self.own * (factor - 1) * square
            apart.append((whole * (1 - factor**-3), df))
            kept += whole * factor**-3
        pool = [(part / (shared + alone) * kept, df) for part, df in ((shared, self.total_df), (alone, self.own_df))]
        return [(part, df) for part, df in (*pool, *apart) if part]


def seed_noise(plans: Sequence[Trainings]) -> SeedNoise | None:
    """Estimate the variances of the first row; None where no plan was trained twice."""
    scores = np.hstack([plan.scores for plan in plans])
    within, df, between, own_df = _residuals(tuple(plan.seeds for plan in plans))
    if not df:
        return None
    total, own = (
        np.maximum(0.0, np.einsum("ij,jk,ik->i", scores, left, scores)) / max(1, freedom)
        for left, freedom in ((within, df), (between, own_df))
    )
    alone = len(scores) == 1
    noisier = tuple(_noisier(plan, total * df, df, alone=alone) for plan in plans)
    prior = 0 if alone else PRIOR
    value = _moderated(total, df, prior)
    if own_df < (LEAST_OWN if alone else 1):
        return SeedNoise(
            total=value, total_df=df + prior, own=value, own_df=df + prior, shared=0.0, counted=df, noisier=noisier
        )
    whole = float(total.sum())
    return SeedNoise(
        total=value,
        total_df=df + prior,
        own=_moderated(own, own_df, prior),
        own_df=own_df + prior,
        shared=min(_MOST_SHARED, max(0.0, 1 - float(own.sum()) / whole)) if whole else 0.0,
        counted=df,
        noisier=noisier,
    )


@lru_cache(maxsize=256)
def _residuals(seeds: tuple[tuple[Hashable, ...], ...]) -> tuple[Array, int, Array, int]:
    """Return the projections on what plans, and what plans and seeds, leave unexplained, each with its degrees of freedom."""
    of_plan = np.repeat(np.eye(len(seeds)), [len(own) for own in seeds], axis=0)
    every = [seed for own in seeds for seed in own]
    places = {seed: place for place, seed in enumerate(dict.fromkeys(every))}
    both = np.hstack([of_plan, np.eye(len(places))[[places[seed] for seed in every]]])
    left = [np.eye(len(every)) - columns @ np.linalg.pinv(columns) for columns in (of_plan, both)]
    return left[0], round(float(np.trace(left[0]))), left[1], round(float(np.trace(left[1])))


def _moderated(variances: Array, df: int, prior: int) -> float:
    return float((prior * variances.mean() + df * variances[0]) / (prior + df))


def _noisier(plan: Trainings, squares: Array, df: int, *, alone: bool) -> tuple[float, float]:
    """Return the factor by which a plan is noisier than the others, shrunk towards 1 and never below, and its freedom."""
    own_df = len(plan.seeds) - 1
    if not own_df or own_df == df:
        return 1.0, math.inf
    own = np.square(plan.scores - plan.scores.mean(axis=1, keepdims=True)).sum(axis=1)
    rest = float((squares - own).sum()) / (df - own_df)
    if rest <= 0:
        return 1.0, math.inf
    found, told = float(own.sum()) / own_df, own_df * (1 if alone else _LENT)
    pooled = float(squares.sum()) / df  # holds the plan itself: with it scaled up, no plan gets more than its own spread
    prior = 1 if alone else PRIOR
    return max(1.0, min((prior + told * found / rest) / (prior + told), found / pooled)), told
