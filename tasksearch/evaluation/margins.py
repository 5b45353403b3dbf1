"""Candidates of bitext mining from nearest neighbours (Artetxe and Schwenk 2019; LASER's `mine_bitexts`, XTREME, jiant).

A sentence proposes the neighbour with the largest margin. With cos(x, y) = s and m the mean of the two sentences' mean
similarities to their k neighbours, the margin is s / m (`ratio`), s - m (`distance`) or s (`absolute`).

`forward` keeps the proposals of A's sentences, `backward` those of B's, `intersection` the pairs that both sides propose, and
`max` goes through all proposals from the best down and uses every sentence once. Of equal margins a sentence proposes the
nearer neighbour; of equal proposals A's come first, in the order of the pool (its reverse where ties go to the last).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from tasksearch.evaluation.neighbours import Ints, Neighbours

Margin = Literal["ratio", "distance", "absolute"]
Retrieval = Literal["max", "intersection", "forward", "backward"]
Floats = npt.NDArray[np.float64]


def margin_pairs(
    forward: Neighbours, backward: Neighbours, margin: Margin = "ratio", retrieval: Retrieval = "max", *, last: bool = False
) -> tuple[Ints, Floats]:
    """Return pairs of rows, (pairs, 2), and their margins, (pairs,), best first.

    Args:
        forward: of A's sentences among B's; `backward` of B's among A's.
        last: ties between proposals go to the sentence that comes last in its pool.
    """
    own = [side.similarities.mean(axis=1, dtype=np.float64) for side in (forward, backward)]
    best_of_a, score_a = _proposals(forward, own[0], own[1], margin)
    best_of_b, score_b = _proposals(backward, own[1], own[0], margin)
    of_a = np.stack([np.arange(len(best_of_a)), best_of_a], axis=1)
    of_b = np.stack([best_of_b, np.arange(len(best_of_b))], axis=1)
    if retrieval == "max":
        parts = [(of_a[::-1], score_a[::-1]), (of_b[::-1], score_b[::-1])] if last else [(of_a, score_a), (of_b, score_b)]
        pairs, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(-scores, kind="stable")
        order = order[_each_once(pairs[order], len(of_a), len(of_b))]
        return pairs[order], scores[order]
    pairs, scores = (of_b, score_b) if retrieval == "backward" else (of_a, score_a)
    if retrieval == "intersection":
        mutual = best_of_b[best_of_a] == np.arange(len(best_of_a))
        pairs, scores = pairs[mutual], scores[mutual]
    if last:
        pairs, scores = pairs[::-1], scores[::-1]
    order = np.argsort(-scores, kind="stable")
    return pairs[order], scores[order]


def _proposals(side: Neighbours, own: Floats, other: Floats, margin: Margin) -> tuple[Ints, Floats]:
    """The neighbour with the largest margin of every sentence, and that margin."""
    similarity = side.similarities.astype(np.float64)
    mean = (own[:, None] + other[side.rows]) / 2
    if margin == "absolute":
        margins = similarity
    elif margin == "distance":
        margins = similarity - mean
    else:
        margins = np.divide(similarity, mean, out=np.full_like(mean, -np.inf), where=mean != 0)
    at = margins.argmax(axis=1)
    every = np.arange(len(at))
    return side.rows[every, at], margins[every, at]


def _each_once(pairs: Ints, sources: int, targets: int) -> npt.NDArray[np.bool_]:
    """Return which pairs are kept if, from the first down, no row is used twice."""
    free = np.ones(sources, dtype=np.bool_), np.ones(targets, dtype=np.bool_)
    kept = np.zeros(len(pairs), dtype=np.bool_)
    for at, (i, j) in enumerate(pairs.tolist()):
        if free[0][i] and free[1][j]:
            free[0][i] = free[1][j] = False
            kept[at] = True
    return kept
