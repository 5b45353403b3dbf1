"""How alike languages are before any mix was trained: distances as a prior of the surrogate's covariance of languages.

What a language gains beside the mean over languages has the covariance (1 - ρ) I + ρ E, where E = exp(-distance / width). ρ and
the width are averaged over a grid by the evidence of the trained mixes, half of the prior being on ρ = 0: distances count as
far as they tell which languages gain alike. EM then learns the covariance from the trials, starting there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Distances = Mapping[tuple[str, str], float]
"""(language, language) → distance, at least 0; in either order."""

_WIDTHS = (2.0, 1.0, 0.5)  # of the median distance
_SHARES = (0.25, 0.5, 0.75, 0.95)


def alike_columns(languages: Sequence[str], distances: Distances | None) -> tuple[Array, ...]:
    """Return E for every width, shape (L, L); none for less than three languages, or where all are equally far apart.

    Args:
        languages: of the columns.
        distances: between them; a pair that is missing counts as the largest.
    """
    if not distances or len(languages) < 3:
        return ()
    far = max(distances.values())
    table = np.array([[distances.get((a, b), distances.get((b, a), far)) for b in languages] for a in languages])
    np.fill_diagonal(table, 0.0)
    apart = table[~np.eye(len(table), dtype=bool)]
    typical = float(np.median(apart))
    if typical <= 0 or np.ptp(apart) == 0:
        return ()
    return tuple(_covariance(np.exp(-table / (width * typical))) for width in _WIDTHS)


def own_parts(left: Array, values: Array, signal: float, luck: float, alike: Sequence[Array]) -> Array:
    """Return the covariance of the columns' own parts, (L, L), averaged by evidence; its contrasts vary by one on average.

    Args:
        left: scores in the eigenbasis of the kernel of mixes, less their mean over columns, shape (T, L).
        values: eigenvalues, shape (T,).
        signal, luck: variances of the own parts of a mix and of noise.
        alike: from `alike_columns`.
    """
    columns = left.shape[1]
    contrasts = np.linalg.svd(np.eye(columns) - 1 / columns)[0][:, : columns - 1]
    found, logs = [np.eye(columns)], [_evidence(left @ contrasts, values, signal, luck, np.ones(columns - 1))]
    for close in alike:
        own, vectors = np.linalg.eigh(contrasts.T @ close @ contrasts)
        scale = (columns - 1) / float(own.sum())
        turned = left @ (contrasts @ vectors)
        for share in _SHARES:
            found.append((1 - share) * np.eye(columns) + share * scale * close)
            each = (1 - share) + share * scale * np.maximum(own, 0.0)
            logs.append(_evidence(turned, values, signal, luck, each) - np.log(len(alike) * len(_SHARES)))
    weights = np.exp(np.array(logs) - max(logs))
    return np.asarray(np.tensordot(weights / weights.sum(), np.array(found), axes=1))


def _evidence(turned: Array, values: Array, signal: float, luck: float, own: Array) -> float:
    variance = signal * values[:, np.newaxis] * own + luck
    return float(-0.5 * (np.log(variance) + np.square(turned) / variance).sum())


def _covariance(close: Array) -> Array:
    """Return the nearest covariance with a diagonal of ones: distances that are no metric may give negative eigenvalues."""
    values, vectors = np.linalg.eigh(close)
    found = (vectors * np.maximum(values, 1e-9)) @ vectors.T
    root = np.sqrt(np.diag(found))
    return np.asarray(found / np.outer(root, root))
