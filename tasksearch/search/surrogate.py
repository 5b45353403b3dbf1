"""The pooled surrogate: what trained mixes are worth in each language, less the luck that made some of them look good.

Scores of T trained mixes in L languages, one seed each, are read as

    Y = F + noise,   cov(F) = K ⊗ B,   cov(noise) = I ⊗ N

a Gaussian process whose kernel K compares mixes (presence, share, order, kind, pairs) and whose B lets languages share
strength: B is shrunken towards one common factor with a residual per language and learns further factors where the trials show
them (the intrinsic coregionalisation model; Álvarez, Rosasco, Lawrence 2012, sec. 4.2; Maddox et al. 2021 for why the whole
vector pays). B and N are maximum a posteriori by EM in the eigenbasis of K, where the trials are independent (Stegle et al.
2011). The kernel is one of a few fixed compositions, each weighted by its evidence; none is tuned to the study in hand.

The posterior mean is a shrunken score: the winner of the posterior means is not flattered as the winner of the raw scores is
(Efron 2011, "Tweedie's formula and selection bias"). It is only ever read at mixes that were trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.schedule import Schedule
from tasksearch.search.features import features, tasks_of

Array = NDArray[np.float64]

_KERNELS: tuple[dict[str, float], ...] = (
    {"share": 1.0, "kind": 0.3},
    {"share": 0.7, "presence": 0.5, "order": 0.3, "kind": 0.3},
    {"share": 0.7, "presence": 0.3, "order": 0.5, "kind": 0.5, "pairs": 0.5},
    {"share": 0.5, "order": 0.3, "kind": 0.3, "near": 1.0},
)
"""Compositions: block → its part of the variance of a mix. `near` is a squared-exponential kernel over all blocks but pairs."""
_LEVEL = 1.0  # variance of what all mixes have in common, in the variance of one mix
_OWN = 0.1  # variance of what no other mix shares with it
_RATIOS = np.geomspace(0.02, 50, 18)  # signal over noise, the grid of the evidence
_ROUNDS = 20
_PRIOR = 4.0  # how many trials the prior on the languages' covariance is worth, beside their number


@dataclass(frozen=True, kw_only=True, eq=False)
class Posterior:
    """Shrunken scores.

    Attributes:
        mean, deviation: shape (mixes, columns).
    """

    mean: Array
    deviation: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Surrogate:
    """Kernels over the trained mixes, ready for any score column; build once per study.

    Attributes:
        schedules: trained mixes, T of them, each once.
    """

    schedules: tuple[Schedule, ...]

    def posterior(self, scores: Array, seeds: Array | None = None) -> Posterior:
        """Shrunken scores of every mix in every column.

        Args:
            scores: shape (T, L), gains over the baseline, in units in which columns are comparable.
            seeds: shape (S, L), scores of the baseline's seeds in the same units: the noise's witness; None: none.
        """
        means, deviations, weights = [], [], []
        noise = _contrasts(seeds, scores.shape[1])
        evidence = self._evidence(scores, noise)
        for weight, (values, vectors) in zip(evidence, self._bases, strict=True):
            if weight < 0.02:
                continue
            found = _coregionalised(vectors.T @ scores, values, noise)
            means.append(vectors @ found.mean)
            deviations.append(np.sqrt(np.square(vectors) @ np.square(found.deviation)))
            weights.append(weight)
        share = np.array(weights)[:, np.newaxis, np.newaxis] / sum(weights)
        mean = (share * np.array(means)).sum(axis=0)
        spread = (share * (np.square(deviations) + np.square(np.array(means) - mean))).sum(axis=0)
        return Posterior(mean=mean, deviation=np.sqrt(spread))

    @cached_property
    def _bases(self) -> list[tuple[Array, Array]]:
        """Eigenvalues (T,) and eigenvectors (T, T) of every kernel."""
        bases = []
        for kernel in _kernels(self.schedules):
            values, vectors = np.linalg.eigh(kernel)
            bases.append((np.maximum(values, 0.0), vectors))
        return bases

    def _evidence(self, scores: Array, noise: Array) -> Array:
        """Weight of every kernel: its likelihood for the columns' mean and for what is left, each at its best ratio."""
        mean = scores.mean(axis=1, keepdims=True)
        apart = scores - mean
        contrast, own = noise.mean(axis=1, keepdims=True), noise - noise.mean(axis=1, keepdims=True)
        logs = np.array(
            [
                _best_likelihood(vectors.T @ mean, values, contrast)
                + (_best_likelihood(vectors.T @ apart, values, own) if scores.shape[1] > 1 else 0.0)
                for values, vectors in self._bases
            ]
        )
        weights: Array = np.exp(logs - logs.max())
        weights /= weights.sum()
        return weights


def trained(schedules: Sequence[Schedule]) -> Surrogate:
    """The surrogate over these mixes.

    Raises:
        ValueError: a mix stands twice.
    """
    if len(set(schedules)) != len(schedules):
        raise ValueError("a mix stands twice; expected one row of scores per mix")
    return Surrogate(schedules=tuple(schedules))


def _kernels(schedules: Sequence[Schedule]) -> list[Array]:
    blocks = features(schedules, tasks_of(schedules))
    parts = {name: _linear(block) for name, block in blocks.items()}
    parts["near"] = _near([blocks["share"], 0.5 * blocks["order"], blocks["kind"][:, :4]])
    count = len(schedules)
    return [
        sum((weight * parts[name] for name, weight in composition.items()), np.zeros((count, count)))
        + _LEVEL
        + _OWN * np.eye(count)
        for composition in _KERNELS
    ]


def _linear(block: Array) -> Array:
    """Inner products of centred columns, scaled to a mean variance of one."""
    centred = block - block.mean(axis=0)
    kernel = centred @ centred.T
    scale = float(np.trace(kernel)) / len(block)
    return np.asarray(kernel / scale) if scale > 1e-12 else np.zeros_like(kernel)


def _near(blocks: Sequence[Array]) -> Array:
    """Squared exponential, its length the median distance."""
    squares = sum(np.square(block[:, np.newaxis] - block).sum(axis=2) for block in blocks)
    squares = np.asarray(squares)
    typical = float(np.median(squares[squares > 0])) if (squares > 0).any() else 1.0
    return np.exp(-squares / typical)


def _contrasts(seeds: Array | None, columns: int) -> Array:
    """Orthonormal contrasts of the baseline's seeds, shape (seeds - 1, columns): pure noise."""
    if seeds is None or len(seeds) < 2:
        return np.zeros((0, columns))
    centred = seeds - seeds.mean(axis=0)
    left, _, _ = np.linalg.svd(np.eye(len(seeds)) - 1 / len(seeds))
    return np.asarray(left[:, : len(seeds) - 1].T @ centred)


def _best_likelihood(rotated: Array, values: Array, noise: Array) -> float:
    """Largest log likelihood of columns with one noise variance, over the grid of ratios."""
    squares, extra = np.square(rotated).sum(axis=1), float(np.square(noise).sum())
    count = rotated.size + noise.size
    spread = np.outer(_RATIOS, values) + 1.0
    variance = np.maximum(((squares / spread).sum(axis=1) + extra) / count, 1e-12)
    return float((-0.5 * (count * np.log(variance) + rotated.shape[1] * np.log(spread).sum(axis=1))).max())


def _coregionalised(rotated: Array, values: Array, noise: Array) -> Posterior:
    """Posterior of K ⊗ B + I ⊗ N in the eigenbasis of K, B and N by EM under inverse-Wishart priors."""
    between, within = _start(rotated, values, noise)
    columns = rotated.shape[1]
    strength = _PRIOR + columns
    prior_between, prior_within = between * strength, within * strength
    keep = values > 1e-9 * max(1e-12, float(values.max()))
    for _ in range(_ROUNDS if columns > 1 else 0):
        whiten, unwhiten, ratio = _diagonalised(between, within)
        shrink = values[:, np.newaxis] * ratio / (values[:, np.newaxis] * ratio + 1.0)
        z = rotated @ whiten.T
        mean = shrink * z
        scaled = mean[keep] / np.sqrt(values[keep])[:, np.newaxis]
        spread = (shrink[keep] / values[keep][:, np.newaxis]).sum(axis=0)
        between = unwhiten @ (scaled.T @ scaled + np.diag(spread)) @ unwhiten.T
        between = (between + prior_between) / (int(keep.sum()) + strength)
        left = z - mean
        within = unwhiten @ (left.T @ left + np.diag(shrink.sum(axis=0))) @ unwhiten.T + noise.T @ noise
        within = (within + prior_within) / (len(values) + len(noise) + strength)
    whiten, unwhiten, ratio = _diagonalised(between, within)
    shrink = values[:, np.newaxis] * ratio / (values[:, np.newaxis] * ratio + 1.0)
    mean = (shrink * (rotated @ whiten.T)) @ unwhiten.T
    variance = shrink @ np.square(unwhiten).T
    return Posterior(mean=mean, deviation=np.sqrt(np.maximum(variance, 0.0)))


def _start(rotated: Array, values: Array, noise: Array) -> tuple[Array, Array]:
    """Compound symmetry: one factor for all columns and a residual of equal size for each, signal and noise alike."""
    columns = rotated.shape[1]
    shared = _one_variance(rotated.mean(axis=1, keepdims=True), values, noise.mean(axis=1, keepdims=True))
    if columns == 1:
        return np.full((1, 1), shared[0]), np.full((1, 1), shared[1])
    left, noise_left = (data - data.mean(axis=1, keepdims=True) for data in (rotated, noise))
    free = columns / (columns - 1)
    own = tuple(free * v for v in _one_variance(left, values, noise_left))
    parts = []
    for mean, alone in zip(shared, own, strict=True):
        common = max(mean - alone / columns, 0.05 * alone)
        parts.append(common * np.ones((columns, columns)) + alone * np.eye(columns))
    return parts[0], parts[1]


def _one_variance(rotated: Array, values: Array, noise: Array) -> tuple[float, float]:
    """Signal and noise variance of columns that have them in common, averaged over the grid by likelihood."""
    squares, extra = np.square(rotated).sum(axis=1), float(np.square(noise).sum())
    columns, count = rotated.shape[1], rotated.size + noise.size
    spread = np.outer(_RATIOS, values) + 1.0
    variance = np.maximum(((squares / spread).sum(axis=1) + extra) / count, 1e-9)
    logs = -0.5 * (count * np.log(variance) + columns * np.log(spread).sum(axis=1))
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    return max(float(weight @ (_RATIOS * variance)), 1e-9), float(weight @ variance)


def _diagonalised(between: Array, within: Array) -> tuple[Array, Array, Array]:
    """W, its inverse, and λ, with W N Wᵀ = I and W B Wᵀ = diag(λ)."""
    root = np.linalg.cholesky(within + 1e-9 * float(np.trace(within)) / len(within) * np.eye(len(within)))
    inverse = np.linalg.inv(root)
    values, vectors = np.linalg.eigh(inverse @ between @ inverse.T)
    return vectors.T @ inverse, root @ vectors, np.maximum(values, 0.0)
