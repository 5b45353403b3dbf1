"""Bitext mining: find the sentences of two pools that translate each other.

The targets mine as XTREME and jiant do for BUCC 2018: each distinct sentence counts once; cosine, the four nearest neighbours
in both directions, ratio margin, and from the best proposal down each sentence is used once (`evaluation.margins`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tasksearch.evaluation.margins import Floats, Margin, Retrieval, margin_pairs
from tasksearch.evaluation.neighbours import Ints, Search, both_ways
from tasksearch.evaluation.tiles import Vectors

NEIGHBOURS = 4
Duplicates = Literal["drop", "first", "last", "all"]


@dataclass(frozen=True, kw_only=True)
class Mining:
    """How candidates are mined; the defaults are BUCC's in XTREME and jiant.

    Attributes:
        k: neighbours in both directions; of a smaller pool all of it.
        margin, retrieval: as in `evaluation.margins`.
        duplicates: which id a sentence has that occurs more than once in its pool. It is one neighbour in any case. `drop`:
            none, it is never a candidate (XTREME); `first`, `last`: that of its first or last occurrence (LASER's text files
            keep the first line, its vectors and XTREME's map from text to id the last); `all`: every one (jiant).
        least: candidates score more than this; None: all are kept.
    """

    k: int = NEIGHBOURS
    margin: Margin = "ratio"
    retrieval: Retrieval = "max"
    duplicates: Duplicates = "drop"
    least: float | None = 0.0


BUCC = Mining()


@dataclass(frozen=True, kw_only=True, eq=False)
class Mined:
    """Candidate pairs, best first.

    Attributes:
        ids: (foreign id, English id) of each.
        scores: (candidates,) margins.
    """

    ids: tuple[tuple[str, str], ...]
    scores: npt.NDArray[np.float64]


def mine(
    foreign: Mapping[str, str],
    english: Mapping[str, str],
    foreign_vectors: Vectors,
    english_vectors: Vectors,
    how: Mining = BUCC,
    search: Search | None = None,
) -> Mined:
    """Mine candidates from two pools of sentences.

    Args:
        foreign, english: id → sentence.
        foreign_vectors, english_vectors: a row per id, in the same order.
        search: how neighbours are searched; by default cosine, and the first of equally near ones.
    """
    ids = [list(pool) for pool in (foreign, english)]
    sides = [occurrences(list(pool.values())) for pool in (foreign, english)]
    pairs, scores = mined_rows(foreign_vectors, english_vectors, sides, how, search)
    return Mined(ids=tuple((ids[0][i], ids[1][j]) for i, j in pairs.tolist()), scores=scores)


def mined_rows(
    x: Vectors, y: Vectors, sides: Sequence[Sequence[Sequence[int]] | None], how: Mining, search: Search | None = None
) -> tuple[Ints, Floats]:
    """Return mined pairs as rows of x and y, (pairs, 2), and their margins, best first.

    Args:
        sides: per side the rows of each distinct sentence (`occurrences`); None: every row is one.
    """
    search = search or Search()
    kept = [None if side is None else np.array([_chosen(rows, how) for rows in side], dtype=np.int64) for side in sides]
    parts = [vectors if _whole(rows, vectors) else vectors[rows] for vectors, rows in zip((x, y), kept, strict=True)]
    forward, backward = both_ways(parts[0], parts[1], how.k, search)
    pairs, scores = margin_pairs(forward, backward, how.margin, how.retrieval, last=search.ties == "last")
    if how.least is not None:
        pairs, scores = pairs[scores > how.least], scores[scores > how.least]
    return _as_rows(pairs, scores, sides, kept, how)


def occurrences(sentences: Sequence[str]) -> list[list[int]]:
    """Return the rows of each distinct sentence, in the order of first occurrences; outer blanks are no difference."""
    rows: dict[str, list[int]] = {}
    for row, sentence in enumerate(sentences):
        rows.setdefault(sentence.strip(), []).append(row)
    return list(rows.values())


def _chosen(rows: Sequence[int], how: Mining) -> int:
    return rows[-1] if how.duplicates == "last" else rows[0]


def _whole(rows: Ints | None, vectors: Vectors) -> bool:
    """Whether all rows are taken, in order: vectors of a mapped file are then not copied."""
    return rows is None or (len(rows) == len(vectors) and bool((np.diff(rows) > 0).all()))


def _as_rows(
    pairs: Ints, scores: Floats, sides: Sequence[Sequence[Sequence[int]] | None], kept: Sequence[Ints | None], how: Mining
) -> tuple[Ints, Floats]:
    """Turn pairs of distinct sentences into pairs of rows."""
    if how.duplicates == "all":
        both = [
            (i, j, score)
            for (a, b), score in zip(pairs.tolist(), scores.tolist(), strict=True)
            for i in ([a] if sides[0] is None else sides[0][a])
            for j in ([b] if sides[1] is None else sides[1][b])
        ]
        table = np.array([(i, j) for i, j, _ in both], dtype=np.int64).reshape(-1, 2)
        return table, np.array([score for _, _, score in both], dtype=np.float64)
    if how.duplicates == "drop":
        for column, side in enumerate(sides):
            if side is not None:
                once = np.array([len(rows) == 1 for rows in side], dtype=np.bool_)[pairs[:, column]]
                pairs, scores = pairs[once], scores[once]
    columns = [pairs[:, c] if rows is None else rows[pairs[:, c]] for c, rows in enumerate(kept)]
    return np.stack(columns, axis=1), scores
