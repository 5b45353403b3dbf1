"""Gaussian process over mixes and languages: shrinks the noisy gains of trained mixes.

Scores of T trained mixes in L languages, one seed each, are modelled as

    Y = F + noise,   cov(F) = K ⊗ B,   cov(noise) = I ⊗ N

a Gaussian process whose kernel K compares mixes (presence, share, order, kind, pairs) and whose B, a covariance of languages,
lets them share strength: B is shrunken towards one common factor with a residual per language and learns further factors from
the trials (the intrinsic coregionalisation model; Álvarez, Rosasco, Lawrence 2012, sec. 4.2; Maddox et al. 2021 for why the
whole vector pays). B and N are maximum a posteriori by EM in the eigenbasis of K, where the trials are independent (Stegle et
al. 2011). K is one of a few fixed compositions, averaged by their evidence; none is tuned to the study.

The posterior mean is a shrunken score: the largest posterior mean is not biased upwards as the largest raw score is (Efron
2011,
"Tweedie's formula and selection bias"). Mixes are chosen among those that were trained only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.schedule import Schedule
from tasksearch.search.surrogate.alike_columns import own_parts
from tasksearch.search.surrogate.features import blocks_of, tasks_of
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays
from tasksearch.search.surrogate.warping import POWERS, Warp

Array = NDArray[np.float64]

KERNELS: tuple[dict[str, float], ...] = (
    {"share": 1.0, "kind": 0.3, "rate": 0.5},
    {"share": 0.7, "presence": 0.5, "order": 0.3, "kind": 0.3, "rate": 0.5},
    {"share": 0.7, "presence": 0.3, "order": 0.5, "kind": 0.5, "pairs": 0.5, "rate": 0.5},
    {"share": 0.5, "order": 0.3, "kind": 0.3, "near": 1.0, "rate": 0.5},
    {"share": 0.5, "order": 0.3, "kind": 0.3, "pairs": 0.3, "before": 0.4, "rate": 0.5},
)
"""Compositions: block → its part of the variance of a mix. `near`: squared exponential over share, order, kind and rate; `rate`
is nothing where all mixes have one.
"""
LEVEL = 1.0  # variance that all mixes have in common, relative to that of one mix
OWN = 0.1  # variance of a mix that no other shares
RATIOS = np.geomspace(0.02, 2000, 26)  # signal over noise, the grid of the evidence
LEAST_EVIDENCE = 0.02
"""A kernel with a smaller share of the evidence is left out."""
JITTER = 1 + 1e-9
"""Factor on the noise, on average over columns, so that its covariance can be factorised."""
_STRAIGHT = (4.0, 0.25)  # prior weight in columns: of the identity, and of each other power of the warp
_ROUNDS = 20
_PRIOR = 4.0  # prior weight on the languages' covariance in trials, added to the number of languages


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
    """Kernels over the trained mixes, for any columns of scores; built once per study.

    Attributes:
        schedules: trained mixes, T of them, each once.
        among: tasks that mixes to be predicted may have, beside those of the trained ones.
        usual: learning rate of the mixes that state none, beside some that do; None: all do, or none does.
    """

    schedules: tuple[Schedule, ...]
    among: tuple[str, ...] = ()
    usual: float | None = None

    def posterior(self, scores: Array, seeds: Array | None = None) -> Posterior:
        """Compute the shrunken scores of every mix in every column.

        Args:
            scores: shape (T, L), gains over the baseline, in units in which columns are comparable.
            seeds: shape (S, L), scores of the baseline's seeds in the same units, as evidence of the noise; None: none.
        """
        warp = self.warp(scores)
        parts = self._parts(warp.forward(scores), None if seeds is None else warp.forward(seeds))
        means, spreads, weights = [], [], []
        for weight, place, found in parts:
            vectors = self.bases[place][1]
            means.append(vectors @ found.mean)
            spreads.append(np.square(vectors) @ np.square(found.deviation))
            weights.append(weight)
        share = np.array(weights)[:, np.newaxis, np.newaxis]
        mean = (share * np.array(means)).sum(axis=0)
        spread = (share * (np.array(spreads) + np.square(np.array(means) - mean))).sum(axis=0)
        mean, deviation = warp.back(mean, np.sqrt(spread))
        return Posterior(mean=mean, deviation=deviation)

    def elsewhere(self, schedules: Sequence[Schedule], scores: Array) -> Array:
        """Predict scores of mixes that were not trained, shape (schedules, L).

        It serves to measure the surrogate against held-out trainings; no verdict uses it.
        """
        warp, mean = self.warp(scores), np.zeros((len(schedules), scores.shape[1]))
        parts = self._parts(warp.forward(scores), None)
        others = blocks_of(self.arrays_of(schedules))
        across, _ = self.with_others(others, [place for _, place, _ in parts])
        for weight, place, found in parts:
            values, vectors = self.bases[place]
            mean += weight * (across[place] @ vectors) @ (found.mean / np.maximum(values, 1e-9)[:, np.newaxis])
        return warp.back(mean, np.zeros_like(mean))[0]

    def warp(self, scores: Array, *, together: bool = True) -> Warp:
        """Fit the power of every column's warp.

        With `together` the columns share a prior over powers that is estimated from them; it starts in favour of the identity.
        """
        logs = np.array([self._columns_evidence(Warp.of(scores, power), scores) for power in POWERS])
        prior = np.where(np.array(POWERS) == 1, *_STRAIGHT)[:, np.newaxis]
        common = prior / prior.sum()
        for _ in range(10):
            held = np.exp(logs - logs.max(axis=0)) * common
            held /= held.sum(axis=0)
            seen = held.sum(axis=1, keepdims=True) if together else held
            common = (prior + seen) / (prior.sum() + (held.shape[1] if together else 1))
        return Warp.of(scores, np.array(POWERS)[held.argmax(axis=0)])

    def _columns_evidence(self, warp: Warp, scores: Array) -> Array:
        """Return the log likelihood of each column by itself, shape (L,), under its best kernel and ratio."""
        bent = warp.forward(scores)
        logs = [
            likelihoods(np.square(vectors.T @ bent), values, spread=spread)[0].max(axis=0)
            for (values, vectors), spread in zip(self.bases, self._spreads, strict=True)
        ]
        return np.asarray(np.max(logs, axis=0) + warp.log_slope(scores))

    @cached_property
    def _spreads(self) -> list[tuple[Array, Array]]:
        return [_spread(values) for values, _ in self.bases]

    def _parts(self, scores: Array, seeds: Array | None) -> list[tuple[float, int, Posterior]]:
        """Return (weight, number of the kernel, posterior in its eigenbasis) of the kernels kept; weights sum to one."""
        noise = seed_contrasts(seeds, scores.shape[1])
        return [
            (weight, place, _posterior(vectors.T @ scores, values, noise))
            for weight, place in self.kept(scores, noise)
            for values, vectors in [self.bases[place]]
        ]

    def kept(self, scores: Array, noise: Array) -> list[tuple[float, int]]:
        """Return (weight, place) of the kernels that have their share of the evidence; weights sum to one."""
        evidence = self.evidence(scores, noise)
        kept = [place for place, weight in enumerate(evidence) if weight >= LEAST_EVIDENCE]
        total = sum(float(evidence[place]) for place in kept)
        return [(float(evidence[place]) / total, place) for place in kept]

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Every task of the mixes, sorted: the columns of the features."""
        return tuple(sorted({*tasks_of(self.schedules), *self.among}))

    @cached_property
    def arrays(self) -> ScheduleArrays:
        """The mixes as arrays."""
        return self.arrays_of(self.schedules)

    def arrays_of(self, schedules: Sequence[Schedule]) -> ScheduleArrays:
        """Convert other mixes as these are."""
        return ScheduleArrays.of(schedules, self.tasks, self.usual)

    @cached_property
    def blocks(self) -> dict[str, Array]:
        """Features of the mixes by block."""
        return blocks_of(self.arrays)

    @cached_property
    def bases(self) -> list[tuple[Array, Array]]:
        """Eigenvalues (T,) and eigenvectors (T, T) of every kernel."""
        return [self.basis(place) for place in range(len(KERNELS))]

    def basis(self, place: int) -> tuple[Array, Array]:
        """Return eigenvalues (T,) and eigenvectors (T, T) of one kernel."""
        if place not in self._known:
            values, vectors = np.linalg.eigh(self._between[place])
            self._known[place] = np.maximum(values, 0.0), vectors
        return self._known[place]

    @cached_property
    def _scaled(self) -> tuple[_Scaled, Array]:
        return _Scaled.of(self.blocks)

    @cached_property
    def _between(self) -> list[Array]:
        scaled, inside = self._scaled
        parts = {name: scaled.linear(name, block) for name, block in self.blocks.items()} | {"near": scaled.near(inside)}
        return [_composed(parts, place) + OWN * np.eye(len(inside)) for place in range(len(KERNELS))]

    def with_others(self, others: Mapping[str, Array], places: Collection[int]) -> tuple[dict[int, Array], dict[int, Array]]:
        """Return kernel → covariance of other mixes with the trained ones, (others, T); kernel → own variance, (others,).

        The variance leaves out the part `OWN`, which no two mixes share.

        Args:
            others: features of the other mixes by block.
            places: of the kernels that are wanted.
        """
        scaled, count = self._scaled[0], len(others["share"])
        needed = dict.fromkeys(name for place in places for name in KERNELS[place] if name != "near")
        parts = {name: scaled.linear(name, others[name]) for name in needed}
        own = {name: scaled.variance(name, others[name]) for name in needed} | {"near": np.ones(count)}
        if any("near" in KERNELS[place] for place in places):
            parts["near"] = scaled.near(_distances(_place(others), scaled.place))
        level = np.full(count, LEVEL)
        variances = {place: sum((w * own[name] for name, w in KERNELS[place].items()), level) for place in places}
        return {place: _composed(parts, place) for place in places}, variances

    @cached_property
    def _known(self) -> dict[int, tuple[Array, Array]]:
        return {}

    def evidence(self, scores: Array, noise: Array) -> Array:
        """Return the weight of every kernel: its likelihood of the columns' mean and of the rest, each at its best ratio."""
        mean = scores.mean(axis=1, keepdims=True)
        apart = scores - mean
        contrast, own = noise.mean(axis=1, keepdims=True), noise - noise.mean(axis=1, keepdims=True)
        logs = np.array(
            [
                _best_likelihood(vectors.T @ mean, values, contrast)
                + (_best_likelihood(vectors.T @ apart, values, own) if scores.shape[1] > 1 else 0.0)
                for values, vectors in self.bases
            ]
        )
        weights: Array = np.exp(logs - logs.max())
        weights /= weights.sum()
        return weights


def surrogate_over(schedules: Sequence[Schedule], among: Sequence[str] = (), usual: float | None = None) -> Surrogate:
    """Build the surrogate over these mixes; `among` and `usual` as its attributes.

    Raises:
        ValueError: a mix is listed twice.
    """
    if len(set(schedules)) != len(schedules):
        raise ValueError("a mix is listed twice; expected one row of scores per mix")
    return Surrogate(schedules=tuple(schedules), among=tuple(among), usual=usual)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scaled:
    """Features of the trained mixes, centred, and what scales their kernels: all that does not depend on other mixes."""

    centred: Mapping[str, Array]
    centre: Mapping[str, Array]
    scale: Mapping[str, float]
    place: Array
    typical: float

    @classmethod
    def of(cls, blocks: Mapping[str, Array]) -> tuple[_Scaled, Array]:
        """Return it, and the squared distances between the trained mixes."""
        centre = {name: block.mean(axis=0) for name, block in blocks.items()}
        centred = {name: block - centre[name] for name, block in blocks.items()}
        scale = {name: float(np.square(part).sum()) / len(part) for name, part in centred.items()}
        place = _place(blocks)
        inside = _distances(place, place)
        typical = float(np.median(inside[inside > 0])) if (inside > 0).any() else 1.0
        return cls(centred=centred, centre=centre, scale=scale, place=place, typical=typical), inside

    def linear(self, name: str, others: Array) -> Array:
        """Return inner products with others, (others, T), of columns centred and scaled to a mean variance of one."""
        centred, scale = self.centred[name], self.scale[name]
        return (others - self.centre[name]) @ centred.T / scale if scale > 1e-12 else np.zeros((len(others), len(centred)))

    def variance(self, name: str, others: Array) -> Array:
        """Return the kernel `linear` of each of the others with itself."""
        own, scale = np.square(others - self.centre[name]).sum(axis=1), self.scale[name]
        return np.asarray(own / scale) if scale > 1e-12 else np.zeros(len(others))

    def near(self, distances: Array) -> Array:
        """Return the squared exponential kernel; its scale is the median squared distance within the trained mixes."""
        return np.asarray(np.exp(-distances / self.typical))


def _composed(parts: Mapping[str, Array], place: int) -> Array:
    """Return one composition: its parts weighted, and what all mixes have in common."""
    shape = next(iter(parts.values())).shape
    return sum((weight * parts[name] for name, weight in KERNELS[place].items()), np.zeros(shape)) + LEVEL


def _place(blocks: Mapping[str, Array]) -> Array:
    """Return the coordinates of mixes for the kernel `near`."""
    return np.hstack([blocks["share"], 0.5 * blocks["order"], blocks["kind"][:, :4], blocks["rate"][:, :1]])


def _distances(rows: Array, others: Array) -> Array:
    """Return squared distances, shape (rows, others), column by column for as many rows as the processor's cache holds."""
    found = np.zeros((len(rows), len(others)))
    apart = np.empty((min(_AT_ONCE, len(rows)), len(others)))
    for first in range(0, len(rows), _AT_ONCE):
        these, sums = rows[first : first + _AT_ONCE], found[first : first + _AT_ONCE]
        part = apart[: len(these)]
        for one, other in zip(these.T, others.T, strict=True):
            np.subtract(one[:, np.newaxis], other, out=part)
            sums += np.square(part, out=part)
    return found


_AT_ONCE = 64
"""Rows of a table of distances that are computed at once."""


def seed_contrasts(seeds: Array | None, columns: int) -> Array:
    """Return orthonormal contrasts of the baseline's seeds, shape (seeds - 1, columns): samples of noise alone."""
    if seeds is None or len(seeds) < 2:
        return np.zeros((0, columns))
    centred = seeds - seeds.mean(axis=0)
    left, _, _ = np.linalg.svd(np.eye(len(seeds)) - 1 / len(seeds))
    return np.asarray(left[:, : len(seeds) - 1].T @ centred)


def _best_likelihood(rotated: Array, values: Array, noise: Array) -> float:
    """Return the largest log likelihood of columns with one noise variance, over the grid of ratios."""
    squares, extra = np.square(rotated).sum(axis=1), float(np.square(noise).sum())
    count = rotated.size + noise.size
    spread = np.outer(RATIOS, values) + 1.0
    variance = np.maximum(((squares / spread).sum(axis=1) + extra) / count, 1e-12)
    return float((-0.5 * (count * np.log(variance) + rotated.shape[1] * np.log(spread).sum(axis=1))).max())


def likelihoods(
    squares: Array,
    values: Array,
    extra: Array | float = 0.0,
    more: int = 0,
    *,
    floor: float = 1e-12,
    spread: tuple[Array, Array] | None = None,
) -> tuple[Array, Array]:
    """Return log likelihood and noise variance of single columns over the grid of ratios, each of shape (ratios, L).

    Args:
        squares: the columns' rotated squares, shape (T, L).
        values: eigenvalues, shape (T,).
        extra, more: sum of squares, per column, of `more` numbers that are noise alone.
        floor: of the variance.
        spread: `_spread(values)`, where it is known.
    """
    inverse, logs = _spread(values) if spread is None else spread
    count = len(values) + more
    variance = np.maximum((inverse @ squares + extra) / count, floor)
    return -0.5 * (count * np.log(variance) + logs), variance


def _spread(values: Array) -> tuple[Array, Array]:
    """Return the inverse variances over the grid of ratios, (ratios, T), and the sums of their logarithms, (ratios, 1)."""
    spread = np.outer(RATIOS, values) + 1.0
    return 1 / spread, np.log(spread).sum(axis=1, keepdims=True)


def coregionalised(rotated: Array, values: Array, noise: Array, alike: Sequence[Array] = ()) -> tuple[Array, Array, Array]:
    """Fit B and N of K ⊗ B + I ⊗ N by EM under inverse-Wishart priors, in the eigenbasis of K.

    Args:
        rotated: scores in the eigenbasis, shape (T, L).
        values: eigenvalues of K, shape (T,).
        noise: contrasts of the baseline's seeds.
        alike: how alike columns may be beforehand, as `own_parts` takes it.

    Returns:
        W, its inverse and λ as `_diagonalised` returns them: in the columns of `rotated @ W.T` signal and noise are independent
        with variances λ · K and 1.
    """
    between, within = _start(rotated, values, noise, alike)
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
    return _diagonalised(between, within)


def _posterior(rotated: Array, values: Array, noise: Array) -> Posterior:
    """Return the posterior of every mix and column in the eigenbasis of K."""
    whiten, unwhiten, ratio = coregionalised(rotated, values, noise)
    shrink = values[:, np.newaxis] * ratio / (values[:, np.newaxis] * ratio + 1.0)
    mean = (shrink * (rotated @ whiten.T)) @ unwhiten.T
    variance = shrink @ np.square(unwhiten).T
    return Posterior(mean=mean, deviation=np.sqrt(np.maximum(variance, 0.0)))


def _start(rotated: Array, values: Array, noise: Array, alike: Sequence[Array]) -> tuple[Array, Array]:
    """Start B and N with one factor for all columns and residuals that are equal and, unless columns are alike, independent."""
    columns = rotated.shape[1]
    shared = _one_variance(rotated.mean(axis=1, keepdims=True), values, noise.mean(axis=1, keepdims=True))
    if columns == 1:
        return np.full((1, 1), shared[0]), np.full((1, 1), shared[1])
    left, noise_left = (data - data.mean(axis=1, keepdims=True) for data in (rotated, noise))
    free = columns / (columns - 1)
    own = tuple(free * v for v in _one_variance(left, values, noise_left))
    apart = np.eye(columns)
    close = own_parts(left, values, own[0], own[1], alike) if alike else apart
    parts = []
    for mean, alone, each in zip(shared, own, (close, apart), strict=True):
        common = max(mean - alone * (float(each.sum()) / columns) / columns, 0.05 * alone)
        parts.append(common * np.ones((columns, columns)) + alone * each)
    return parts[0], parts[1]


def _one_variance(rotated: Array, values: Array, noise: Array) -> tuple[float, float]:
    """Return the signal and noise variance common to all columns, averaged over the grid by likelihood."""
    squares, extra = np.square(rotated).sum(axis=1), float(np.square(noise).sum())
    columns, count = rotated.shape[1], rotated.size + noise.size
    spread = np.outer(RATIOS, values) + 1.0
    variance = np.maximum(((squares / spread).sum(axis=1) + extra) / count, 1e-9)
    logs = -0.5 * (count * np.log(variance) + columns * np.log(spread).sum(axis=1))
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    return max(float(weight @ (RATIOS * variance)), 1e-9), float(weight @ variance)


def _diagonalised(between: Array, within: Array) -> tuple[Array, Array, Array]:
    """Return W, its inverse, and λ, with W N Wᵀ = I and W B Wᵀ = diag(λ)."""
    root = np.linalg.cholesky(within + (JITTER - 1) * float(np.trace(within)) / len(within) * np.eye(len(within)))
    inverse = np.linalg.inv(root)
    values, vectors = np.linalg.eigh(inverse @ between @ inverse.T)
    return vectors.T @ inverse, root @ vectors, np.maximum(values, 0.0)
