"""Choose k rows of a table so that the sum over columns of the best chosen row is largest."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EVERY, GREEDY = "every subset", "greedy, then exchanges"
_MOST = 2e8  # additions that a search over every subset may cost: under a second


def best_rows(worth: Array, size: int) -> tuple[tuple[int, ...], str]:
    """Return the subset of at most `size` rows with the largest sum over columns of the column's maximum, and the method used.

    Rows that another row equals or beats in every column are left out first: no best subset needs them. Then every subset is
    tried where that is affordable; else rows are added one by one (at least 1 - 1/e of the best possible gain over the first
    row; Nemhauser, Wolsey, Fisher 1978) and exchanged while that helps.

    Args:
        worth: shape (rows, columns), at least one of each.
        size: at least 1.

    Returns:
        Row numbers, ascending; fewer than `size` where no further row adds anything.
    """
    kept = undominated(worth)
    table = worth[kept]
    size = min(size, len(kept))
    exact = comb(len(kept), size) * worth.shape[1] <= _MOST
    found = _every(table, size) if exact else _greedy(table, size)
    return tuple(sorted(int(kept[row]) for row in _needed(table, found))), EVERY if exact else GREEDY


def undominated(worth: Array) -> NDArray[np.intp]:
    """Return the rows that no other row equals or beats in every column; of equal rows the first."""
    order = np.argsort(-worth.sum(axis=1), kind="stable")
    kept: list[int] = []
    for row in order:
        if not kept or not (worth[kept] >= worth[row]).all(axis=1).any():
            kept.append(int(row))
    return np.array(sorted(kept), dtype=np.intp)


def _every(table: Array, size: int) -> tuple[int, ...]:
    """Search every subset; its last row is evaluated for all candidates at once."""
    best, found = -np.inf, tuple[int, ...]()
    for head in combinations(range(len(table)), size - 1):
        start = head[-1] + 1 if head else 0
        if start == len(table):
            continue
        rest = table[start:] if not head else np.maximum(table[start:], table[list(head)].max(axis=0))
        sums = rest.sum(axis=1)
        last = int(sums.argmax())
        if sums[last] > best + 1e-12:
            best, found = float(sums[last]), (*head, start + last)
    return found


def _greedy(table: Array, size: int) -> tuple[int, ...]:
    chosen: list[int] = []
    while len(chosen) < size:
        chosen.append(_addition(table, chosen)[0])
    best = table[chosen].max(axis=0).sum()
    place, since = 0, 0
    while since < size:  # a full round without a better exchange ends it
        rest = [row for i, row in enumerate(chosen) if i != place]
        row, value = _addition(table, rest)
        if value > best + 1e-12:
            chosen[place], best, since = row, value, 0
        else:
            since += 1
        place = (place + 1) % size
    return tuple(chosen)


def _addition(table: Array, chosen: list[int]) -> tuple[int, float]:
    sums = (np.maximum(table, table[chosen].max(axis=0)) if chosen else table).sum(axis=1)
    return int(sums.argmax()), float(sums.max())


def _needed(table: Array, rows: tuple[int, ...]) -> list[int]:
    """Return the rows that are the maximum of some column."""
    chosen = list(rows)
    return sorted({chosen[i] for i in table[chosen].argmax(axis=0)})
