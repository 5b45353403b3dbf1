"""The best few of every row and of every column of a matrix of products that is never held whole.

The matrix is walked in tiles, each computed once. On a CPU a tile's numbers are compared with the least of what each row and
column holds, and the few that exceed it are sorted in: two comparisons a number beside the product itself. On a GPU the best of
a tile are taken by `topk` and merged.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from tasksearch.core.atomic import write_atomic

Vectors = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
SPARE = 8
"""Proposals that a table holds beyond the k that are wanted: room for numbers that rounding may have swapped."""
_CROWD = 16
"""Proposals per row of a tile above which its best are taken by `topk` first."""
_SAVE_EVERY = 60.0  # seconds between savings of an unfinished sweep


class Settings(Protocol):
    """What a sweep reads of `neighbours.Search`."""

    @property
    def memory(self) -> int: ...  # noqa: D102
    @property
    def device(self) -> str: ...  # noqa: D102
    @property
    def progress(self) -> Progress | None: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True, eq=False)
class Progress:
    """Who is told how far a sweep is, and where it is kept.

    Attributes:
        on_tile: called with (tiles done, tiles) after each row of tiles, if given.
        path: file of the unfinished tables; None: they are not kept.
        signature: of inputs and settings; a file of another one is not used.
        save_every: seconds between two savings.
    """

    on_tile: Callable[[int, int], None] | None = None
    path: Path | None = None
    signature: str = ""
    save_every: float = _SAVE_EVERY


@dataclass(frozen=True, kw_only=True, eq=False)
class Best:
    """Running best proposals of every row, unordered among equals.

    Attributes:
        values: (rows, room) descending, -inf where there is none yet.
        rows: (rows, room) where in the pool, -1 where there is none.
        pool: how many there are to choose from.
    """

    values: Vectors
    rows: Ints
    pool: int

    @classmethod
    def empty(cls, owners: int, pool: int, room: int) -> Best:
        """A table of `owners` rows that holds nothing yet."""
        room = min(room, pool)
        return cls(values=np.full((owners, room), -np.inf, np.float32), rows=np.full((owners, room), -1, np.int64), pool=pool)

    def offer(self, owner: Ints, row: Ints, value: Vectors) -> None:
        """Merge proposals (owner, pool row, value), none of which the table holds."""
        if not len(owner):
            return
        touched, index = np.unique(owner, return_inverse=True)
        room = self.values.shape[1]
        owners = np.concatenate([np.repeat(np.arange(len(touched)), room), index])
        rows = np.concatenate([self.rows[touched].ravel(), row])
        values = np.concatenate([self.values[touched].ravel(), value])
        order = np.lexsort((-values, owners))
        first = np.searchsorted(owners[order], np.arange(len(touched)))
        chosen = order[first[:, None] + np.arange(room)[None, :]]
        self.values[touched], self.rows[touched] = values[chosen], rows[chosen]


def tile_side(memory: int, width: int) -> int:
    """Return the side of square tiles that fit: products, a mask, two blocks of vectors with a copy each."""
    side = 64
    while side < 8192 and (2 * side) ** 2 * 6 + 2 * side * width * 16 <= memory:
        side *= 2
    return side


def sweep(
    left: Callable[[slice], Vectors],
    right: Callable[[slice], Vectors],
    rows: int,
    columns: int,
    room: int,
    width: int,
    how: Settings,
) -> tuple[Best, Best]:
    """Return the best `room` of every row and of every column of left @ right.T.

    Args:
        left, right: give a block of vectors.
        width: of a vector, for the size of tiles.
    """
    side = tile_side(how.memory, width)
    forward, backward, done = Best.empty(rows, columns, room), Best.empty(columns, rows, room), 0
    progress = how.progress or Progress()
    if progress.path is not None:
        done = _restore(progress, forward, backward)
    pick = _by_bar if how.device == "cpu" else _by_topk
    starts, saved = range(0, rows, side), time.monotonic()
    across = range(0, columns, side)
    out = torch.empty((min(side, rows), min(side, columns)), device=how.device)
    for number, top in enumerate(starts):
        if number * side < done:
            continue
        block = torch.from_numpy(left(slice(top, top + side))).to(how.device)
        for begin in across:
            other = torch.from_numpy(right(slice(begin, begin + side))).to(how.device)
            tile = torch.mm(block, other.T, out=_shaped(out, len(block), len(other)))
            forward.offer(*pick(tile, forward, top, begin, down=False))
            backward.offer(*pick(tile, backward, begin, top, down=True))
        if progress.on_tile is not None:
            progress.on_tile((number + 1) * len(across), len(starts) * len(across))
        if progress.path is not None and time.monotonic() - saved >= progress.save_every and top + side < rows:
            _keep(progress, forward, backward, top + side)
            saved = time.monotonic()
    return forward, backward


def _shaped(out: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    return out.view(-1)[: rows * columns].view(rows, columns)


def _by_bar(tile: torch.Tensor, best: Best, own: int, pool: int, *, down: bool) -> tuple[Ints, Ints, Vectors]:
    """Proposals of a tile that exceed the least of what their row (`down`: column) holds."""
    products = tile.numpy()
    bar = best.values[own : own + products.shape[int(down)], -1]
    if not np.isfinite(bar).all() and products.shape[1 - int(down)] > _CROWD:
        return _by_topk(tile, best, own, pool, down=down)
    flat = np.flatnonzero(products > (bar[None, :] if down else bar[:, None]))
    if len(flat) > _CROWD * len(bar):
        return _by_topk(tile, best, own, pool, down=down)
    i, j = np.divmod(flat, products.shape[1])
    mine, other = (j, i) if down else (i, j)
    return mine + own, other + pool, products.ravel()[flat]


def _by_topk(tile: torch.Tensor, best: Best, own: int, pool: int, *, down: bool) -> tuple[Ints, Ints, Vectors]:
    """The best of every row (`down`: column) of a tile, as many as a table holds."""
    count = min(best.values.shape[1], tile.shape[1 - int(down)])
    values, places = (tile.T if down else tile).topk(count, dim=1, sorted=False)
    mine = np.repeat(np.arange(len(values), dtype=np.int64), count)
    return mine + own, places.cpu().numpy().astype(np.int64).ravel() + pool, values.cpu().numpy().ravel()


def _keep(progress: Progress, forward: Best, backward: Best, done: int) -> None:
    from safetensors.numpy import save

    assert progress.path is not None
    tables = {"fv": forward.values, "fr": forward.rows, "bv": backward.values, "br": backward.rows}
    write_atomic(progress.path, save(tables, metadata={"signature": progress.signature, "done": str(done)}))


def _restore(progress: Progress, forward: Best, backward: Best) -> int:
    """Fill the tables of an earlier, unfinished sweep of the same inputs; return how many rows it had done."""
    from safetensors import SafetensorError, safe_open

    assert progress.path is not None
    if not progress.path.is_file():
        return 0
    try:
        with safe_open(progress.path, framework="np") as file:
            facts = file.metadata() or {}
            if facts.get("signature") != progress.signature:
                return 0
            for name, table in (("f", forward), ("b", backward)):
                table.values[:], table.rows[:] = file.get_tensor(f"{name}v"), file.get_tensor(f"{name}r")
            return int(facts["done"])
    except (SafetensorError, KeyError, ValueError):  # cut short: begin anew
        return 0
