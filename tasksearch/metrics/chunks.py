"""Chunk F1 of tag sequences as in XTREME and jiant: the rules of seqeval 0.0.12 (conlleval's, by first letters).

A tag's letter is its first character, its type what follows the last "-" (the whole tag where it has none). On BIO tags the
chunks are the entities, and seqeval 1.2.2 agrees. On raw part-of-speech tags they are runs of equal tags, except that a tag
that begins with S (SCONJ, SYM) is always a chunk of its own. seqeval 1.2.2 cuts the first letter off a raw tag, so that CCONJ
and SCONJ become one type: its UDPOS scores differ from XTREME's, which is why the rules are implemented here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasksearch.core.errors import BadInput
from tasksearch.metrics.outcomes import Outcomes

Chunk = tuple[str, int, int]
"""(type, first word, last word)"""


def chunks(tags: Sequence[str]) -> set[Chunk]:
    """Return the chunks of one sentence.

    Raises:
        BadInput: a tag is empty.
    """
    found: set[Chunk] = set()
    letter, kind, begin = "O", "", 0
    for at, tag in enumerate((*tags, "O")):
        if not tag:
            raise BadInput(f"tag {at + 1} of a sentence is empty; expected one tag per word")
        next_letter, next_kind = tag[0], tag.rsplit("-", 1)[-1]
        if _ends(letter, next_letter, kind, next_kind):
            found.add((kind, begin, at - 1))
        if _starts(letter, next_letter, kind, next_kind):
            begin = at
        letter, kind = next_letter, next_kind
    return found


def _ends(letter: str, following: str, kind: str, next_kind: str) -> bool:
    if letter in "ES" or (letter in "BI" and following in "BSO"):
        return True
    return letter not in "O." and kind != next_kind


def _starts(letter: str, following: str, kind: str, next_kind: str) -> bool:
    if following in "BS" or (following in "EI" and letter in "ESO"):
        return True
    return following not in "O." and kind != next_kind


def chunk_counts(predicted: Sequence[str], gold: Sequence[str]) -> tuple[int, int, int]:
    """Return the numbers of common, predicted and gold chunks of one sentence.

    Raises:
        BadInput: the sentences have different lengths, which seqeval 0.0.12 scores silently.
    """
    if len(predicted) != len(gold):
        raise BadInput(f"{len(predicted)} predicted tags for {len(gold)} words")
    ours, theirs = chunks(predicted), chunks(gold)
    return len(ours & theirs), len(ours), len(theirs)


def chunk_outcomes(predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> Outcomes:
    """Return (2 common, predicted + gold) per sentence, shape (sentences, 2); the ratio of sums is micro F1."""
    counts = [chunk_counts(ours, theirs) for ours, theirs in zip(predicted, gold, strict=True)]
    rows = [(2 * both, ours + theirs) for both, ours, theirs in counts]
    return np.asarray(rows, dtype=np.float32).reshape(-1, 2)
