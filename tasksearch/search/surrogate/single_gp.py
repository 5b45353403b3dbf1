"""The surrogate's posterior of many columns, each by itself, computed for all at once.

A verdict needs dozens of such columns, one for each language's selection cells, over the same mixes. Computed together, every
eigenvector of every kernel is fetched from memory once instead of once per column. The numbers equal those of
`Surrogate.posterior` on a single column.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasksearch.search.surrogate.multitask_gp import (
    JITTER,
    LEAST_EVIDENCE,
    RATIOS,
    Posterior,
    Surrogate,
    likelihoods,
    seed_contrasts,
)

Array = NDArray[np.float64]


def posterior_of_each(surrogate: Surrogate, scores: Array, seeds: Array) -> Posterior:
    """Return the shrunken scores of every mix in every column; columns share no information.

    Args:
        surrogate: over the trained mixes.
        scores: shape (T, L), as for `Surrogate.posterior`.
        seeds: shape (S, L), of the baseline.
    """
    warp = surrogate.warp(scores, together=False)
    bent, noise = warp.forward(scores), seed_contrasts(warp.forward(seeds), scores.shape[1])
    extra, more = np.square(noise).sum(axis=0), len(noise)
    rotated = [vectors.T @ bent for _, vectors in surrogate.bases]
    weights = _weights(
        np.array(
            [
                likelihoods(np.square(column), values, extra, more)[0].max(axis=0)
                for column, (values, _) in zip(rotated, surrogate.bases, strict=True)
            ]
        )
    )
    means, spreads = [], []
    for column, (values, vectors) in zip(rotated, surrogate.bases, strict=True):
        signal, luck = _variances(*likelihoods(np.square(column), values, extra, more, floor=1e-9))
        ratio = values[:, np.newaxis] * (signal / luck)
        shrink = ratio / (ratio + 1.0)
        means.append(vectors @ (shrink * column))
        spreads.append(np.square(vectors) @ (shrink * luck))
    share = weights[:, np.newaxis, :]
    mean = (share * np.array(means)).sum(axis=0)
    spread = (share * (np.array(spreads) + np.square(np.array(means) - mean))).sum(axis=0)
    mean, deviation = warp.back(mean, np.sqrt(spread))
    return Posterior(mean=mean, deviation=deviation)


def _weights(logs: Array) -> Array:
    """Return the weights of the kernels that are kept in every column, shape (kernels, L); they sum to one."""
    weights = np.exp(logs - logs.max(axis=0))
    weights /= weights.sum(axis=0)
    weights = np.where(weights >= LEAST_EVIDENCE, weights, 0.0)
    return np.asarray(weights / weights.sum(axis=0))


def _variances(logs: Array, variance: Array) -> tuple[Array, Array]:
    """Return the signal and noise variance of every column, averaged over the grid by likelihood."""
    weight = np.exp(logs - logs.max(axis=0))
    weight /= weight.sum(axis=0)
    signal = (weight * RATIOS[:, np.newaxis] * variance).sum(axis=0)
    return np.maximum(signal, 1e-9), (weight * variance).sum(axis=0) * JITTER
