"""Rounding of exact shares to whole counts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def largest_remainder(wanted: Sequence[Fraction], total: int) -> list[int]:
    """Return whole numbers that sum to `total`, each less than one from its exact share (Hamilton's method, ties to the first).

    Args:
        wanted: non-negative weights, rescaled to sum to `total`; if all are zero, all count as equal.
        total: non-negative.
    """
    if not wanted:
        return []
    whole = sum(wanted, Fraction(0))
    exact = [w * total / whole for w in wanted] if whole else [Fraction(total, len(wanted))] * len(wanted)
    counts = [int(w) for w in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (counts[i] - exact[i], i))
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts
