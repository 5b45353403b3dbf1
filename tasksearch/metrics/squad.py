"""Exact match and F1 of extracted answers as in SQuAD's evaluate-v1.1.py (Rajpurkar et al. 2016)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def normalise(text: str) -> str:
    """Lower the case, remove ASCII punctuation and English articles, use single spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def f1(prediction: str, gold: str) -> float:
    """Return the bag-of-words F1 of one answer, in [0, 1]; 0 without a common word."""
    predicted, wanted = normalise(prediction).split(), normalise(gold).split()
    common = sum((Counter(predicted) & Counter(wanted)).values())
    if not common:
        return 0.0
    precision, recall = common / len(predicted), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def exact_match(prediction: str, gold: str) -> float:
    """Return 1.0 where the normalised texts are equal, else 0.0."""
    return float(normalise(prediction) == normalise(gold))


def best_over(metric: Callable[[str, str], float], prediction: str, golds: Sequence[str]) -> float:
    """Return the maximum over the gold answers."""
    return max(metric(prediction, gold) for gold in golds)


def em_f1(prediction: str, golds: Sequence[str]) -> float:
    """Return (EM + F1) / 2 in [0, 1], XTREME's score of one question."""
    return (best_over(exact_match, prediction, golds) + best_over(f1, prediction, golds)) / 2
