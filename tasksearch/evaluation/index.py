"""Exact nearest neighbours by inner product with faiss, on the GPU where its build supports it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from tasksearch.core.errors import MissingPackage

Vectors = npt.NDArray[np.float32]


def require_faiss(targets: Sequence[str]) -> None:
    """Raise MissingPackage, with the command that installs it, where faiss is not installed. faiss is not imported.

    Args:
        targets: names of the targets that need it, for the message.
    """
    if find_spec("faiss") is None:
        raise _missing(f"target {', '.join(targets)}")


def _missing(what: str) -> MissingPackage:
    return MissingPackage(
        f"{what} searches nearest neighbours and needs faiss: pip install 'tasksearch[cpu]' (or 'tasksearch[gpu]' on CUDA 12; "
        "never both)"
    )


def nearest(queries: Vectors, pool: Vectors) -> npt.NDArray[np.int64]:
    """Return the pool row with the largest inner product for each query, shape (queries,); ties go to the lower row."""
    return neighbours(queries, pool, 1)[1][:, 0]


def neighbours(queries: Vectors, pool: Vectors, k: int) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """Return the k largest inner products and their pool rows, each of shape (queries, k), largest first."""
    try:
        import faiss
    except ImportError:  # a plan that is run without a study was not checked before
        raise _missing("retrieval") from None

    index: Any = faiss.IndexFlatIP(pool.shape[1])
    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0:
        index = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
    else:
        faiss.omp_set_num_threads(1)
    index.add(np.ascontiguousarray(pool))
    products, found = index.search(np.ascontiguousarray(queries), min(k, len(pool)))
    return np.asarray(products, dtype=np.float32), np.asarray(found, dtype=np.int64)
