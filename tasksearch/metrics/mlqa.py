"""Exact match and F1 as in MLQA's script: one normaliser per language (Lewis et al. 2020, mlqa_evaluation_v1.py).

It differs from SQuAD's in punctuation (all of Unicode's), in the articles, and in splitting Chinese into characters.
Kept for parity: Arabic "ال" is removed inside words too.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache

from tasksearch.core.errors import UnknownName

_ARTICLES = {
    "en": re.compile(r"\b(a|an|the)\b"),
    "es": re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
    "hi": None,
    "vi": re.compile(r"\b(của|là|cái|chiếc|những)\b"),
    "de": re.compile(r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"),
    "ar": re.compile("ال"),
    "zh": None,
}
LANGUAGES = tuple(sorted(_ARTICLES))


def normalise(text: str, language: str) -> str:
    """Lower the case, remove punctuation and the language's articles, use single spaces, and split Chinese characters.

    Raises:
        UnknownName: the language is not one of MLQA's seven.
    """
    if language not in _ARTICLES:
        raise UnknownName("language of MLQA's normaliser", language, LANGUAGES)
    bare = "".join(character for character in text.lower() if not _is_punctuation(character))
    articles = _ARTICLES[language]
    bare = articles.sub(" ", bare) if articles is not None else bare
    return " ".join(_characters_apart(bare) if language == "zh" else bare.split())


@cache
def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def _characters_apart(text: str) -> list[str]:
    return re.sub(r"([\u4e00-\u9fa5])", r" \1 ", text).split()


def exact_match(prediction: str, gold: str, language: str) -> float:
    """Return 1.0 where the normalised texts are equal, else 0.0."""
    return float(normalise(prediction, language) == normalise(gold, language))


def f1(prediction: str, gold: str, language: str) -> float:
    """Return bag-of-words F1 in [0, 1]; 0 without a common word."""
    predicted, wanted = normalise(prediction, language).split(), normalise(gold, language).split()
    common = sum((Counter(predicted) & Counter(wanted)).values())
    if not common:
        return 0.0
    precision, recall = common / len(predicted), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def em_f1_of(prediction: str, golds: Sequence[str], language: str) -> tuple[float, float]:
    """Return (EM, F1), each the maximum over the gold answers."""
    return (
        max(exact_match(prediction, gold, language) for gold in golds),
        max(f1(prediction, gold, language) for gold in golds),
    )
