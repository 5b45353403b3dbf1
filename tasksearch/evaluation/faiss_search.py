"""Proposals of neighbours by faiss's flat index, on a GPU where its build can: an alternative to `tiles.sweep`.

The index holds one side whole, so memory is not bounded. `neighbours` makes the proposals exact, whoever made them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from tasksearch.core.errors import MissingPackage
from tasksearch.evaluation.tiles import Best, Settings, Vectors

_BLOCK = 16_384


def propose(
    left: Callable[[slice], Vectors],
    right: Callable[[slice], Vectors],
    rows: int,
    columns: int,
    room: int,
    width: int,
    how: Settings,
) -> tuple[Best, Best]:
    """Return what `tiles.sweep` returns: the best `room` of every row and of every column of left @ right.T.

    Raises:
        MissingPackage: faiss is not installed.
    """
    done, every = 0, -(-rows // _BLOCK) + -(-columns // _BLOCK)
    found = []
    for ours, theirs, many, pool in ((left, right, rows, columns), (right, left, columns, rows)):
        index = _index_of(theirs, pool)
        best = Best.empty(many, pool, room)
        for begin in range(0, many, _BLOCK):
            part = slice(begin, min(begin + _BLOCK, many))
            best.values[part], best.rows[part] = index.search(ours(part), best.values.shape[1])
            done += 1
            if how.progress is not None and how.progress.on_tile is not None:
                how.progress.on_tile(done, every)
        found.append(best)
    return found[0], found[1]


def _index_of(block: Callable[[slice], Vectors], count: int) -> Any:
    try:
        import faiss
    except ImportError:
        raise MissingPackage(
            "--engine faiss needs faiss: pip install 'tasksearch[cpu]' (or 'tasksearch[gpu]' on CUDA 12; never both)"
        ) from None
    first = block(slice(0, min(_BLOCK, count)))
    index: Any = faiss.IndexFlatIP(first.shape[1])
    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0:
        index = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
    else:
        faiss.omp_set_num_threads(torch.get_num_threads())
    index.add(first)
    for begin in range(_BLOCK, count, _BLOCK):
        index.add(np.ascontiguousarray(block(slice(begin, begin + _BLOCK))))
    return index
