"""Effects as contrasts of the surrogate: weighted sums of the predicted gains of mixes, trained or not, with errors.

All but one of the surrogate's kernels are inner products of features, so a weighted sum of gains needs only the same weighted
sum of features: thousands of mixes that were never trained cost almost nothing. Its posterior is normal with mean and variance
in closed form (a linear functional of a Gaussian process; Rasmussen and Williams 2006, ch. 2 and 9.4), given the covariances of
languages and of noise, which are estimated and taken as known.

The remaining kernel, which compares whole mixes by their distance, has no finite features and is left out here; `additive` is
the share of the evidence that the others have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasksearch.search.surrogate.features import blocks_of
from tasksearch.search.surrogate.multitask_gp import KERNELS, LEVEL, OWN, Posterior, Surrogate, coregionalised, seed_contrasts
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Contrast:
    """One weighted sum over mixes. The baseline's gain is zero by definition and needs no term.

    Attributes:
        sums: block of features → their weighted sum, shape (columns,).
        level: sum of the weights.
        trained: weight of every trained mix, shape (T,).
        elsewhere: sum of the squared weights of mixes that were not trained.
        needs: the block of features that it is about and that a kernel must have; empty: any kernel will do.
    """

    sums: Mapping[str, Array]
    level: float
    trained: Array
    elsewhere: float
    needs: str = ""

    def __add__(self, other: Contrast) -> Contrast:
        """Add two contrasts; their untrained mixes are taken to be different ones."""
        return Contrast(
            sums={block: values + other.sums[block] for block, values in self.sums.items()},
            level=self.level + other.level,
            trained=self.trained + other.trained,
            elsewhere=self.elsewhere + other.elsewhere,
        )


def contrast_of_trained(surrogate: Surrogate, weights: Array) -> Contrast:
    """Return the contrast over trained mixes with weights of shape (T,)."""
    sums = {name: weights @ block for name, block in surrogate.blocks.items()}
    return Contrast(sums=sums, level=float(weights.sum()), trained=weights, elsewhere=0.0)


def contrast_of_any(surrogate: Surrogate, arrays: ScheduleArrays, weights: Array) -> Contrast:
    """Return the contrast over any mixes with weights of shape (mixes,); none of them counts as trained."""
    sums = {name: weights @ block for name, block in blocks_of(arrays).items()}
    none = np.zeros(len(surrogate.schedules))
    return Contrast(sums=sums, level=float(weights.sum()), trained=none, elsewhere=float(np.square(weights).sum()))


@dataclass(frozen=True, kw_only=True, eq=False)
class ContrastEstimates:
    """Contrasts with their posterior.

    Attributes:
        posterior: shape (contrasts, outputs).
        additive: share of the evidence that the kernels with features have among all, in [0, 1].
    """

    posterior: Posterior
    additive: float


def estimate_contrasts(
    surrogate: Surrogate, contrasts: list[Contrast], scores: Array, seeds: Array, outputs: Array
) -> ContrastEstimates:
    """Compute the posterior of contrasts.

    Args:
        surrogate: over the trained mixes.
        contrasts: at least one.
        scores: shape (T, L), as for `Surrogate.posterior`.
        seeds: shape (S, L), of the baseline; its mean, which every score has had taken off, has an error of its own.
        outputs: shape (outputs, L): weights of the columns in every output.
    """
    noise = seed_contrasts(seeds, scores.shape[1])
    evidence = surrogate.evidence(scores, noise)
    linear = [place for place, composition in enumerate(KERNELS) if "near" not in composition]
    level = np.array([contrast.level for contrast in contrasts])
    means, variances = [], []
    for place in linear:
        values, vectors = surrogate.bases[place]
        cross, own = _kernel(surrogate, contrasts, KERNELS[place])
        rotated = vectors.T @ scores
        whiten, unwhiten, ratio = coregionalised(rotated, values, noise)
        scale = ratio / (np.outer(values, ratio) + 1.0)
        seen = cross @ vectors
        mean = seen @ (scale * (rotated @ whiten.T))
        variance = np.maximum(np.outer(own, ratio) - np.square(seen) @ (scale * ratio), 0.0)
        variance += np.square(level)[:, np.newaxis] / max(1, len(seeds))  # the baseline's mean was taken off every score
        means.append(mean @ (outputs @ unwhiten).T)
        variances.append(variance @ np.square(outputs @ unwhiten).T)
    weight = _weights([KERNELS[place] for place in linear], evidence[linear], contrasts)[:, :, np.newaxis]
    mean = (weight * np.array(means)).sum(axis=0)
    spread = (weight * (np.array(variances) + np.square(np.array(means) - mean))).sum(axis=0)
    return ContrastEstimates(posterior=Posterior(mean=mean, deviation=np.sqrt(spread)), additive=float(evidence[linear].sum()))


def _weights(compositions: list[dict[str, float]], evidence: Array, contrasts: list[Contrast]) -> Array:
    """Return the weight of every kernel for every contrast, shape (kernels, contrasts).

    Weights follow the evidence, among the kernels that have the features a contrast needs: a kernel without `order` would
    estimate an effect of order as zero with certainty.
    """
    weights = np.array([[share] * len(contrasts) for share in np.maximum(evidence, 1e-12)])
    for column, contrast in enumerate(contrasts):
        if contrast.needs:
            blind = [contrast.needs not in composition for composition in compositions]
            weights[blind, column] = 0.0
    return np.asarray(weights / weights.sum(axis=0))


def _kernel(surrogate: Surrogate, contrasts: list[Contrast], composition: Mapping[str, float]) -> tuple[Array, Array]:
    """Return the contrasts' covariance with every trained mix, shape (contrasts, T), and their variance, under the kernel."""
    level = np.array([contrast.level for contrast in contrasts])
    trained = np.array([contrast.trained for contrast in contrasts])
    cross = LEVEL * level[:, np.newaxis] + OWN * trained
    own = LEVEL * np.square(level) + OWN * (np.square(trained).sum(axis=1) + np.array([c.elsewhere for c in contrasts]))
    for name, block in surrogate.blocks.items():
        centred = block - block.mean(axis=0)
        scale = float(np.square(centred).sum()) / len(block)
        if composition.get(name, 0.0) and scale > 1e-12:
            sums = np.array([contrast.sums[name] for contrast in contrasts]) - np.outer(level, block.mean(axis=0))
            cross = cross + composition[name] / scale * (sums @ centred.T)
            own = own + composition[name] / scale * np.square(sums).sum(axis=1)
    return cross, own
