"""Mined sentence pairs against gold pairs: the best cut, and F1 at a cut.

The cut is chosen on one set and applied to another. XTREME's and jiant's `bucc_optimize` tunes it on the gold that it is scored
on, stops with an IndexError where the best cut is after the last candidate, and cuts between equal scores.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def best_cut(scores: Floats, right: Bools, gold: int) -> float:
    """Return the score at and above which the candidates' F1 is highest, halfway to the next lower one.

    Args:
        scores: (candidates,).
        right: whether each candidate is a gold pair.
        gold: number of gold pairs.

    Returns:
        The highest such cut; above every candidate if none is right. After the last candidate it is the last one's score;
        between two adjacent floating-point scores the higher one.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(right[order])
    if not len(ranked) or not hits[-1]:
        return float("inf")
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + gold)
    last_of_tie = np.append(ranked[1:] != ranked[:-1], True)
    at = int(np.argmax(np.where(last_of_tie, f1, -1.0)))
    if at + 1 == len(ranked):
        return float(ranked[at])
    higher, lower = float(ranked[at]), float(ranked[at + 1])
    halfway = higher / 2 + lower / 2  # the sum of two large scores would be infinite
    return halfway if lower < halfway <= higher else higher


def mining_scores(scores: Floats, right: Bools, gold: int, cut: float) -> dict[str, float]:
    """Return `f1`, `precision` and `recall` in percent of the candidates that score at least `cut`."""
    extracted = int(np.count_nonzero(scores >= cut))
    correct = int(np.count_nonzero(right & (scores >= cut)))
    precision, recall = correct / extracted if extracted else 0.0, correct / gold if gold else 0.0
    f1 = 2 * precision * recall / (precision + recall) if correct else 0.0
    return {"f1": 100 * f1, "precision": 100 * precision, "recall": 100 * recall}
