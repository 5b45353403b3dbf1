"""Bitext mining as in XTREME and jiant for BUCC 2018: find the sentences of two pools that translate each other.

Each distinct sentence counts once; cosine, the four nearest neighbours in both directions, ratio margin (Artetxe and Schwenk
2019, `ratio` and `max`): cos(x, y) over the mean of the two sentences' mean cosines to their neighbours.

Every sentence proposes its best match; from the best proposal down each sentence is used once. Of proposals with equal scores
the foreign sentences' come first, in the order of the pool.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasksearch.evaluation.index import neighbours
from tasksearch.evaluation.retrieval import unit_vectors

Vectors = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
NEIGHBOURS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Mined:
    """Candidate pairs, best first.

    Attributes:
        ids: (foreign id, English id) of each.
        scores: (candidates,) ratio margins, positive.
    """

    ids: tuple[tuple[str, str], ...]
    scores: npt.NDArray[np.float64]


def mine(foreign: Mapping[str, str], english: Mapping[str, str], foreign_vectors: Vectors, english_vectors: Vectors) -> Mined:
    """Mine candidates from two pools of sentences.

    A sentence that occurs in its pool more than once is a neighbour once and never a candidate, since its id is ambiguous
    (XTREME's rule; jiant proposes all its ids).

    Args:
        foreign, english: id → sentence.
        foreign_vectors, english_vectors: a row per id, in the same order.
    """
    sides = [(list(pool), *_distinct(list(pool.values()))) for pool in (foreign, english)]
    (foreign_ids, foreign_first, foreign_once), (english_ids, english_first, english_once) = sides
    pairs, scores = max_margin_pairs(foreign_vectors[foreign_first], english_vectors[english_first])
    kept = foreign_once[pairs[:, 0]] & english_once[pairs[:, 1]]
    rows = np.stack([foreign_first[pairs[kept, 0]], english_first[pairs[kept, 1]]], axis=1)
    return Mined(ids=tuple((foreign_ids[i], english_ids[j]) for i, j in rows.tolist()), scores=scores[kept])


def max_margin_pairs(x: Vectors, y: Vectors, k: int = NEIGHBOURS) -> tuple[Ints, npt.NDArray[np.float64]]:
    """Return rows of x and y, shape (pairs, 2), and their positive margins, shape (pairs,), best first; no row repeats."""
    x, y = unit_vectors(x, centering=False), unit_vectors(y, centering=False)
    forward, forward_at = neighbours(x, y, k)
    backward, backward_at = neighbours(y, x, k)
    x_mean, y_mean = forward.mean(axis=1), backward.mean(axis=1)
    forward_margin = _ratio(forward, x_mean[:, None], y_mean[forward_at])
    backward_margin = _ratio(backward, y_mean[:, None], x_mean[backward_at])
    best_of_x = forward_at[np.arange(len(x)), forward_margin.argmax(axis=1)]
    best_of_y = backward_at[np.arange(len(y)), backward_margin.argmax(axis=1)]
    pairs = np.concatenate([np.stack([np.arange(len(x)), best_of_x], 1), np.stack([best_of_y, np.arange(len(y))], 1)])
    scores = np.concatenate([forward_margin.max(axis=1), backward_margin.max(axis=1)])
    taken = _each_once(pairs[np.argsort(-scores, kind="stable")], len(x), len(y))
    order = np.argsort(-scores, kind="stable")[taken]
    order = order[scores[order] > 0]
    return pairs[order], scores[order]


def _ratio(cosine: Vectors, own: Vectors, other: Vectors) -> npt.NDArray[np.float64]:
    return np.asarray(cosine / ((own + other) / 2), dtype=np.float64)


def _each_once(pairs: Ints, sources: int, targets: int) -> npt.NDArray[np.bool_]:
    """Return which pairs are kept if, from the first down, no row is used twice."""
    free = np.ones(sources, dtype=np.bool_), np.ones(targets, dtype=np.bool_)
    kept = np.zeros(len(pairs), dtype=np.bool_)
    for at, (i, j) in enumerate(pairs.tolist()):
        if free[0][i] and free[1][j]:
            free[0][i] = free[1][j] = False
            kept[at] = True
    return kept


def _distinct(sentences: Sequence[str]) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Return the row of each distinct sentence's first occurrence, and whether it is the only one."""
    rows: dict[str, list[int]] = {}
    for row, sentence in enumerate(sentences):
        rows.setdefault(sentence.strip(), []).append(row)
    found = list(rows.values())
    return np.array([r[0] for r in found], dtype=np.int64), np.array([len(r) == 1 for r in found], dtype=np.bool_)
