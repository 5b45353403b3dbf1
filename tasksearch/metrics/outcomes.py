"""Per-example outcomes. Every metric is a ratio of sums, so all have one form, from which the variance over examples follows.

An outcome array has shape (examples, 2): numerator and denominator. The score is 100 * sum(numerator) / sum(denominator):
accuracy has (correct, 1), token accuracy (correct tokens, tokens), micro F1 (2 tp, predicted + gold), the mean of EM and F1
(that mean, 1). QQP's mean of two ratios is not a ratio: its outcomes are linearised, exact in value and to first order in
variance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Outcomes = npt.NDArray[np.float32]


def value_of(outcomes: Outcomes) -> float:
    """Return the score in percent; 0 where the denominators sum to zero."""
    total = outcomes.sum(axis=0, dtype=np.float64)
    return float(100.0 * total[0] / total[1]) if total[1] else 0.0


def accuracy_outcomes(predicted: npt.NDArray[np.int64], gold: npt.NDArray[np.int64]) -> Outcomes:
    """Outcomes of one label per example: (correct, 1)."""
    correct = (predicted == gold).astype(np.float32)
    return np.stack([correct, np.ones_like(correct)], axis=1)


def token_accuracy_outcomes(predicted: Sequence[Sequence[object]], gold: Sequence[Sequence[object]]) -> Outcomes:
    """Outcomes of one label per token: (correct tokens, tokens) of each sentence."""
    rows = [(sum(p == g for p, g in zip(ps, gs, strict=True)), len(gs)) for ps, gs in zip(predicted, gold, strict=True)]
    return np.asarray(rows, dtype=np.float32).reshape(-1, 2)


def qqp_outcomes(predicted: npt.NDArray[np.int64], gold: npt.NDArray[np.int64]) -> Outcomes:
    """Outcomes of GLUE's score of QQP, the mean of accuracy and of the F1 of class 1, linearised over examples: (value, 1).

    An example's value is (correct + F1 + influence) / 2 with the influence on F1, (2 tp - F1 (predicted + gold)) /
    mean(predicted + gold). Influences sum to zero, so the mean is the score, and their variance is that of the score (delta
    method).
    """
    correct = (predicted == gold).astype(np.float64)
    both = 2.0 * ((predicted == 1) & (gold == 1))
    size = (predicted == 1).astype(np.float64) + (gold == 1)
    total = size.sum()
    f1 = both.sum() / total if total else 0.0
    influence = (both - f1 * size) * (len(size) / total if total else 0.0)
    return ratio_outcomes(((correct + f1 + influence) / 2).tolist())


def macro_f1_outcomes(predicted: npt.NDArray[np.int64], gold: npt.NDArray[np.int64]) -> Outcomes:
    """Mean over classes of their F1, one class per example: (value, 1) as in `macro_set_f1_outcomes`.

    Classes are those that are predicted or right somewhere, as in scikit-learn.
    """
    return macro_set_f1_outcomes([[int(p)] for p in predicted], [[int(g)] for g in gold])


def micro_set_f1_outcomes(predicted: Sequence[Sequence[object]], gold: Sequence[Sequence[object]]) -> Outcomes:
    """Sets of labels: (2 tp, predicted + gold) of each example, whose ratio of sums is micro F1."""
    rows = [(2 * len({*ours} & {*theirs}), len({*ours}) + len({*theirs})) for ours, theirs in zip(predicted, gold, strict=True)]
    return np.asarray(rows, dtype=np.float32).reshape(-1, 2)


def macro_set_f1_outcomes(predicted: Sequence[Sequence[object]], gold: Sequence[Sequence[object]]) -> Outcomes:
    """Sets of labels: the mean over labels of their F1, linearised over examples as in `qqp_outcomes`: (value, 1).

    A label that is neither predicted nor right anywhere has no F1 and is left out of the mean.
    """
    labels = sorted({label for names in (*predicted, *gold) for label in names}, key=str)
    if not labels:
        return ratio_outcomes([0.0] * len(gold))
    ours, theirs = (
        np.array([[label in row for label in labels] for row in rows], dtype=np.float64) for rows in (predicted, gold)
    )
    both, size = 2.0 * ours * theirs, ours + theirs
    f1 = both.sum(axis=0) / size.sum(axis=0)
    pulls = (both - f1 * size) / size.mean(axis=0)
    return ratio_outcomes((f1.mean() + pulls.mean(axis=1)).tolist())


def exact_set_outcomes(predicted: Sequence[Sequence[object]], gold: Sequence[Sequence[object]]) -> Outcomes:
    """Sets of labels: whether the whole set is right, (right, 1)."""
    return ratio_outcomes([float({*ours} == {*theirs}) for ours, theirs in zip(predicted, gold, strict=True)])


def ratio_outcomes(values: Sequence[float]) -> Outcomes:
    """Outcomes of scores in [0, 1] that are averaged: (value, 1)."""
    numerators = np.asarray(values, dtype=np.float32)
    return np.stack([numerators, np.ones_like(numerators)], axis=1)
