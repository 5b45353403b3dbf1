"""SQuAD 2.0: questions that may have no answer, and the no-answer threshold (Rajpurkar et al. 2018, evaluate-v2.0.py).

The search for the best threshold differs from the official one on purpose in two points: it cuts between distinct values only
(the script cuts inside ties, which no threshold can do), and a question without a prediction scores 0 (the script omits it).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tasksearch.metrics.squad import exact_match, f1, normalise

Floats = npt.NDArray[np.float64]


def em_f1_of(prediction: str, golds: Sequence[str]) -> tuple[float, float]:
    """Return (EM, F1) of one answer in [0, 1]; without gold answers the right answer is the empty string."""
    wanted = [gold for gold in golds if normalise(gold)] or [""]
    return max(exact_match(prediction, gold) for gold in wanted), max(_f1(prediction, gold) for gold in wanted)


def _f1(prediction: str, gold: str) -> float:
    """Return F1 as in SQuAD 1.1, except that two answers that normalise to nothing agree (1.1 scores them 0)."""
    predicted, wanted = normalise(prediction), normalise(gold)
    return float(predicted == wanted) if not predicted or not wanted else f1(prediction, gold)


def after_threshold(scores: Floats, answerable: npt.NDArray[np.bool_], null: Floats, threshold: float) -> Floats:
    """Return scores, shape (questions,), when every question whose null score is above the threshold is answered with "".

    Args:
        scores: of the given answers.
        answerable: whether the question has an answer.
        null: the lead of "no answer" over the best answer: a probability or a difference of logits.
    """
    return np.where(null > threshold, (~answerable).astype(np.float64), scores)


def best_threshold(scores: Floats, answerable: npt.NDArray[np.bool_], null: Floats) -> tuple[float, float]:
    """Return the lowest threshold that makes the sum of `after_threshold` largest, and that sum.

    The threshold is one of the null scores, as in the script; where no answer at all is best it is 0 if that is below all of
    them (the script's value), else the next number below the smallest. A score of minus infinity is above no threshold: its
    question keeps its answer.
    """
    order = np.argsort(null, kind="stable")
    ranked = null[order]
    gains = np.cumsum(scores[order] - (~answerable[order]).astype(np.float64))
    base = float(np.count_nonzero(~answerable))
    last_of_tie = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else np.empty(0, dtype=np.int64)
    best, cut = base, _below(ranked)
    for at in last_of_tie:
        if (
            ranked[at] == -np.inf or base + gains[at] > best + 1e-9
        ):  # sums of the same scores in another order may differ by rounding: no improvement
            best, cut = base + float(gains[at]), float(ranked[at])
    return cut, best


def _below(ranked: Floats) -> float:
    return 0.0 if not len(ranked) or ranked[0] > 0 else math.nextafter(float(ranked[0]), -math.inf)
