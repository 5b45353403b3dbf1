"""Shapley values: what each player adds to a coalition, averaged over all orders of joining (Shapley 1953)."""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOST_PLAYERS = 12
"""With more players the 2^p coalitions are too many to list."""


def coalitions(players: int) -> NDArray[np.bool_]:
    """Return every coalition but the empty one as members, shape (2^p - 1, p)."""
    numbers = np.arange(1, 2**players)
    return np.asarray(numbers[:, np.newaxis] >> np.arange(players) & 1, dtype=np.bool_)


def shapley_weights(players: int) -> Array:
    """Return the weights of the coalitions' values in every player's Shapley value, shape (p, 2^p - 1).

    The empty coalition has value zero. Shapley values are linear in the values of coalitions, so they can be computed from
    estimates of these, errors included.
    """
    members = coalitions(players)
    size = members.sum(axis=1)
    joined = np.array([factorial(s - 1) * factorial(players - s) for s in range(1, players + 1)]) / factorial(players)
    missed = np.array([factorial(s) * factorial(players - s - 1) if s < players else 0 for s in range(1, players + 1)])
    missed = missed / factorial(players)
    weights: Array = np.where(members, joined[size - 1][:, np.newaxis], -missed[size - 1][:, np.newaxis]).T
    return weights
