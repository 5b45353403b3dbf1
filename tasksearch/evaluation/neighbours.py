"""Exact nearest neighbours in both directions from one pass of matrix products, in bounded memory.

A similarity is the inner product of two fp32 vectors, accumulated in double precision and rounded to fp32 (for `l2` the
negative squared distance, likewise). The neighbours of a vector are the k of the other side with the largest similarity; of
equal ones the first in the pool, or the last with `ties="last"`. Tiles, threads, device and a resumed run change nothing.

The fp32 products of a tile only propose: with their rounding error bounded by `gap`, whatever could belong to the k is computed
anew in double precision, and a row whose table is too short to be sure of that is searched once more in double precision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from tasksearch.evaluation.tiles import SPARE, Best, Progress, Vectors, sweep

Similarity = Literal["cosine", "inner", "l2"]
Ties = Literal["first", "last"]
Ints = npt.NDArray[np.int64]
MEMORY = 2**30
"""Bytes that a search takes beside the vectors and its tables, unless told otherwise."""
_CHUNK = 2**24
"""Numbers of a block that is gathered to be computed anew."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Neighbours:
    """Similarities and pool rows of each vector's neighbours, both (vectors, k), nearest first."""

    similarities: Vectors
    rows: Ints


@dataclass(frozen=True, kw_only=True)
class Search:
    """How neighbours are searched.

    Attributes:
        similarity: `cosine` scales both sides to length one first; `inner` and `l2` take the vectors as they are.
        ties: which of equally similar vectors is nearer: the one that comes first in its pool, or last.
        memory: bytes for a tile of products and its two blocks of vectors.
        device: of the matrix products, such as `cpu` or `cuda`.
        progress: where a search that is cut short goes on; told what is done.
    """

    similarity: Similarity = "cosine"
    ties: Ties = "first"
    memory: int = MEMORY
    device: str = "cpu"
    progress: Progress | None = None


def both_ways(x: Vectors, y: Vectors, k: int, search: Search | None = None) -> tuple[Neighbours, Neighbours]:
    """Return the k nearest of y for each of x, and the k nearest of x for each of y; fewer where a pool holds fewer.

    Args:
        x, y: (sentences, width), finite; may be memory-mapped files.
    """
    search = search or Search()
    if search.ties == "last":
        flipped = both_ways(x[::-1], y[::-1], k, replace(search, ties="first"))
        return _flipped(flipped[0], len(y)), _flipped(flipped[1], len(x))
    how = _Pair(x=x, y=y, similarity=search.similarity)
    room = k + SPARE
    forward, backward = sweep(how.left, how.right, len(x), len(y), room, x.shape[1] + 2, search)
    gap = how.error
    return (
        _exact(forward, min(k, len(y)), gap, how.pairs, lambda rows: how.full(rows, across=True)),
        _exact(backward, min(k, len(x)), gap, lambda i, j: how.pairs(j, i), lambda rows: how.full(rows, across=False)),
    )


def nearest(queries: Vectors, pool: Vectors) -> Ints:
    """Return the pool row of the largest cosine for each query, shape (queries,); ties go to the lower row."""
    return both_ways(queries, pool, 1)[0].rows[:, 0]


def unit_vectors(vectors: Vectors, *, centering: bool) -> Vectors:
    """Scale rows to length one, after subtracting their mean where wanted."""
    shifted = vectors - vectors.mean(axis=0, keepdims=True) if centering else vectors
    norms = np.linalg.norm(shifted, axis=1, keepdims=True)
    return np.asarray(shifted / np.maximum(norms, 1e-12), dtype=np.float32)


def _flipped(found: Neighbours, pool: int) -> Neighbours:
    return Neighbours(similarities=found.similarities[::-1].copy(), rows=pool - 1 - found.rows[::-1])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
    """Two pools as the matrix product takes them, and the exact similarity of single pairs."""

    x: Vectors
    y: Vectors
    similarity: Similarity

    def left(self, rows: slice | Ints) -> Vectors:
        return self._block(self.x[rows], first=True)

    def right(self, rows: slice | Ints) -> Vectors:
        return self._block(self.y[rows], first=False)

    def _block(self, part: Vectors, *, first: bool) -> Vectors:
        part = np.array(part, dtype=np.float32, order="C")  # of a mapped, half-precision or reversed array too
        if self.similarity == "cosine":
            return unit_vectors(part, centering=False)
        if self.similarity == "inner":
            return part
        # 2xy - |x|² - |y|² as one product
        lengths = np.einsum("ij,ij->i", part, part, dtype=np.float64)
        ones = np.ones(len(part))
        more = (-lengths, ones) if first else (ones, -lengths)
        return np.column_stack([2 * part if first else part, *more]).astype(np.float32)

    @property
    def error(self) -> float:
        """Largest error of an fp32 product of a tile, in whatever order it is summed: γ(width) times the longest vectors."""
        width = self.x.shape[1] + 2
        longest = [1.0, 1.0] if self.similarity == "cosine" else [_longest(self.left, self.x), _longest(self.right, self.y)]
        return float((width + 8) * 2.0**-24 * longest[0] * longest[1] * 1.01)

    def pairs(self, i: Ints, j: Ints) -> Vectors:
        """Similarities of pairs of rows, rounded to fp32; shape of `i`."""
        found = np.empty(len(i), dtype=np.float32)
        step = max(1, _CHUNK // max(1, self.x.shape[1]))
        for begin in range(0, len(i), step):
            part = slice(begin, begin + step)
            if self.similarity == "l2":
                apart = self.x[i[part]].astype(np.float64) - self.y[j[part]]
                found[part] = -np.einsum("ij,ij->i", apart, apart)
            else:
                found[part] = np.einsum("ij,ij->i", self.left(i[part]), self.right(j[part]), dtype=np.float64)
        return found

    def full(self, rows: Ints, *, across: bool) -> npt.NDArray[np.float64]:
        """Similarities of some rows of x (`across`) or of y to the whole other side, in double precision, not rounded."""
        ours, theirs, pool = (self.left, self.right, self.y) if across else (self.right, self.left, self.x)
        mine, found = ours(rows).astype(np.float64), np.empty((len(rows), len(pool)))
        for begin in range(0, len(pool), 16_384):
            part = slice(begin, begin + 16_384)
            found[:, part] = mine @ theirs(part).astype(np.float64).T
        return found


def _longest(block: Callable[[slice], Vectors], vectors: Vectors) -> float:
    parts = (block(slice(begin, begin + 16_384)) for begin in range(0, len(vectors), 16_384))
    return max(float(np.linalg.norm(part.astype(np.float64), axis=1).max()) for part in parts)


def _exact(
    best: Best,
    k: int,
    gap: float,
    similarity: Callable[[Ints, Ints], Vectors],
    full: Callable[[Ints], npt.NDArray[np.float64]],
) -> Neighbours:
    """The k neighbours out of a table of proposals: exact similarities of whatever is within twice the error of the k-th."""
    values, rows = best.values, best.rows
    bar = values[:, k - 1].astype(np.float64) - 2 * gap
    near = (values >= bar[:, None]) & (rows >= 0)
    owner, place = np.nonzero(near)
    found = _first_k(owner, rows[owner, place], similarity(owner, rows[owner, place]), len(values), k)
    if values.shape[1] < best.pool:  # something may have been left out of the table
        unsure = np.flatnonzero(near.all(axis=1))
        step = max(1, _CHUNK // best.pool)
        for begin in range(0, len(unsure), step):
            some = unsure[begin : begin + step]
            every = full(some)
            # double precision is off by far less than this, which is less than half an fp32 step of what is compared
            slack = gap * 2.0**-20
            bar = np.partition(every, -k, axis=1)[:, -k] - slack
            bar -= np.abs(bar) * 2.0**-23  # whatever may round to the same fp32 number
            at, j = np.nonzero(every >= bar[:, None])
            again = _first_k(at, j, similarity(some[at], j), len(some), k)
            found.similarities[some], found.rows[some] = again.similarities, again.rows
    return found


def _first_k(owner: Ints, rows: Ints, similarities: Vectors, owners: int, k: int) -> Neighbours:
    """The first k pairs of every owner by (similarity down, row up)."""
    order = np.lexsort((rows, -similarities, owner))
    first = np.searchsorted(owner[order], np.arange(owners))
    chosen = order[first[:, None] + np.arange(k)[None, :]]
    return Neighbours(similarities=similarities[chosen], rows=rows[chosen])
