"""Predictions of mixes that were not trained, with what one training of them would teach, and how far to trust them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.schedule import Schedule
from tasksearch.search.surrogate.features import blocks_of
from tasksearch.search.surrogate.multitask_gp import (
    OWN,
    Surrogate,
    coregionalised,
    seed_contrasts,
    surrogate_over,
)
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays
from tasksearch.search.surrogate.warping import Warp

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Predicted scores of mixes that were not trained.

    Attributes:
        mean, deviation: shape (mixes, columns).
        step: deviation of what the mean would be after one training of the mix, scored in every column; at most `deviation`.
    """

    mean: Array
    deviation: Array
    step: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """One kernel of the surrogate: its weight, its place, z = whitened scores in its eigenbasis, and `coregionalised`."""

    weight: float
    place: int
    z: Array
    whiten: Array
    unwhiten: Array
    ratio: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedSurrogate:
    """The surrogate with its covariances fitted to scores of shape (T, L), in the scale of the warp."""

    surrogate: Surrogate
    warp: Warp
    scores: Array
    parts: tuple[_Part, ...]

    @classmethod
    def of(
        cls, surrogate: Surrogate, scores: Array, seeds: Array | None = None, alike: Sequence[Array] = ()
    ) -> FittedSurrogate:
        """Fit; arguments as for `Surrogate.posterior`, and how alike columns may be, from `alike_columns`."""
        warp = surrogate.warp(scores)
        bent = warp.forward(scores)
        noise = seed_contrasts(None if seeds is None else warp.forward(seeds), scores.shape[1])
        parts = []
        for weight, place in surrogate.kept(bent, noise):
            values, vectors = surrogate.basis(place)
            rotated = vectors.T @ bent
            whiten, unwhiten, ratio = coregionalised(rotated, values, noise, alike)
            parts.append(_Part(weight=weight, place=place, z=rotated @ whiten.T, whiten=whiten, unwhiten=unwhiten, ratio=ratio))
        return cls(surrogate=surrogate, warp=warp, scores=bent, parts=tuple(parts))

    def with_guessed(self, schedules: Sequence[Schedule]) -> FittedSurrogate:
        """Add mixes with the scores that are predicted for them; covariances stay as they are.

        Later predictions keep their means, up to how features are centred, and are surer near these mixes.
        """
        guessed = self.predict(self.surrogate.arrays_of(schedules)).mean
        more = surrogate_over((*self.surrogate.schedules, *schedules), self.surrogate.tasks, self.surrogate.usual)
        scores = np.concatenate([self.scores, self.warp.forward(guessed)])
        parts = tuple(replace(part, z=more.basis(part.place)[1].T @ scores @ part.whiten.T) for part in self.parts)
        return FittedSurrogate(surrogate=more, warp=self.warp, scores=scores, parts=parts)

    def predict(self, mixes: ScheduleArrays) -> Prediction:
        """Predict mixes over the surrogate's tasks; deviations are those of the mixture of kernels."""
        across, own = self.surrogate.with_others(blocks_of(mixes), [part.place for part in self.parts])
        means, spreads, steps = [], [], []
        for part in self.parts:
            values, vectors = self.surrogate.basis(part.place)
            near = across[part.place] @ vectors
            gain = part.ratio / (np.outer(values, part.ratio) + 1.0)  # (T, columns)
            variance = np.maximum(
                part.ratio * (own[part.place] + OWN)[:, np.newaxis] - np.square(near) @ (gain * part.ratio), 0.0
            )
            means.append(near @ (gain * part.z) @ part.unwhiten.T)
            spreads.append(variance @ np.square(part.unwhiten).T)
            steps.append((np.square(variance) / (variance + 1.0)) @ np.square(part.unwhiten).T)
        weight = np.array([part.weight for part in self.parts])[:, np.newaxis, np.newaxis]
        mean = (weight * np.array(means)).sum(axis=0)
        apart = np.square(np.array(means) - mean)
        spread, step = ((weight * (np.array(each) + apart)).sum(axis=0) for each in (spreads, steps))
        told, deviation = self.warp.back(mean, np.sqrt(spread))
        return Prediction(mean=told, deviation=deviation, step=deviation * np.sqrt(step / np.maximum(spread, 1e-12)))

    def trained_mean(self) -> Array:
        """Return the shrunken scores of the trained mixes, shape (T, L)."""
        mean, spread = np.zeros_like(self.scores), np.zeros_like(self.scores)
        for part in self.parts:
            values, vectors = self.surrogate.basis(part.place)
            shrink = values[:, np.newaxis] * part.ratio / (values[:, np.newaxis] * part.ratio + 1.0)
            mean += part.weight * (vectors @ (shrink * part.z)) @ part.unwhiten.T
            spread += part.weight * (np.square(vectors) @ shrink) @ np.square(part.unwhiten).T
        return self.warp.back(mean, np.sqrt(spread))[0]

    def left_out(self) -> Array:
        """Predict each trained mix from all the others, shape (T, L), in the warped scale of `scores`."""
        found = np.zeros_like(self.scores)
        for part in self.parts:
            values, vectors = self.surrogate.basis(part.place)
            inverse = 1.0 / (np.outer(values, part.ratio) + 1.0)
            residual = (vectors @ (inverse * part.z)) / (np.square(vectors) @ inverse)
            found += part.weight * (vectors @ part.z - residual) @ part.unwhiten.T
        return found
