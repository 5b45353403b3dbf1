"""Exact counts from exact shares."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def largest_remainder(wanted: Sequence[Fraction], total: int) -> list[int]:
    """Whole numbers that sum to `total`, each within one of its (rescaled) wish: Hamilton's method, ties to the first.

    Args:
        wanted: wishes, not negative. Where they do not sum to `total` they are rescaled first; all zero counts as all equal.
        total: not negative.
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
