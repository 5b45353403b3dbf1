"""A power transform of scores that makes them more nearly normal and additive, as the surrogate assumes.

Scores cluster where a task is nearly solved, and fall far below where no helpful task was trained. A Gaussian process on such a
scale spends its flexibility on the low end and cannot tell the best mixes apart. A power transform of one parameter (Yeo and
Johnson 2000) about each column's mean corrects that, its power chosen by evidence with the Jacobian (warped Gaussian processes:
Snelson, Rasmussen, Ghahramani 2004). A power of one leaves the scale as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

POWERS = (1.0, 1.5, 2.0, 2.5, 3.0)
"""Above one the lower end is compressed. No power below one: it would compress the upper end, where the best mixes are, and
a few good mixes among many that do nothing look like such a bend (on `pair` worlds that cost a tenth of the regret)."""

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


@dataclass(frozen=True, kw_only=True, eq=False)
class Warp:
    """Transforms scores column by column: mean + spread · bend((score - mean) / spread), of slope one at the mean.

    Attributes:
        powers: per column, 1 being the identity.
        mean, spread: of the columns; spread is positive.
    """

    powers: Array
    mean: Array
    spread: Array

    @classmethod
    def of(cls, scores: Array, powers: Array | float) -> Warp:
        """Make the transform for these scores, shape (mixes, columns)."""
        mean, spread = scores.mean(axis=0), scores.std(axis=0)
        each = np.broadcast_to(np.asarray(powers, dtype=np.float64), mean.shape)
        return cls(powers=each, mean=mean, spread=np.where(spread > 0, spread, 1.0))

    def forward(self, scores: Array) -> Array:
        """Transform scores of shape (any, columns)."""
        bent = np.array(scores, dtype=np.float64)
        for j in np.flatnonzero(self.powers != 1):
            bent[:, j] = self.mean[j] + self.spread[j] * _bend((bent[:, j] - self.mean[j]) / self.spread[j], self.powers[j])
        return bent

    def log_slope(self, scores: Array) -> Array:
        """Return the sum over mixes of log d forward / d score, shape (columns,)."""
        z = (scores - self.mean) / self.spread
        return np.asarray(((self.powers - 1) * np.sign(z) * np.log1p(np.abs(z))).sum(axis=0))

    def back(self, mean: Array, deviation: Array) -> tuple[Array, Array]:
        """Return mean and deviation of scores whose transformed values are normal with these, by Gauss-Hermite quadrature."""
        mean, deviation = mean.copy(), deviation.copy()
        weights = _WEIGHTS / _WEIGHTS.sum()
        for j in np.flatnonzero(self.powers != 1):
            bent = (mean[:, [j]] + deviation[:, [j]] * _NODES - self.mean[j]) / self.spread[j]
            scores = self.mean[j] + self.spread[j] * _unbend(bent, self.powers[j])
            mean[:, j] = scores @ weights
            deviation[:, j] = np.sqrt(np.square(scores - mean[:, [j]]) @ weights)
        return mean, deviation


def _bend(z: Array, power: float) -> Array:
    above = _box_cox(np.maximum(z, 0.0), power)
    return np.where(z >= 0, above, -_box_cox(np.maximum(-z, 0.0), 2 - power))


def _unbend(w: Array, power: float) -> Array:
    above = _box_cox_back(np.maximum(w, 0.0), power)
    return np.where(w >= 0, above, -_box_cox_back(np.maximum(-w, 0.0), 2 - power))


def _box_cox(x: Array, power: float) -> Array:
    """Return ((1 + x) ** power - 1) / power for x ≥ 0; its limit log(1 + x) at power zero."""
    return np.asarray(np.log1p(x) if power == 0 else (np.power(1 + x, power) - 1) / power)


def _box_cox_back(w: Array, power: float) -> Array:
    """Invert `_box_cox`. A power below zero never reaches -1 / power: values near or beyond it map to x = 20."""
    if power == 0:
        return np.asarray(np.expm1(np.minimum(w, 3.0)))
    return np.asarray(np.power(np.maximum(1 + power * w, 21.0**power if power < 0 else 1.0), 1 / power) - 1)
