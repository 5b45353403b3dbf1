"""Exact nearest neighbours by inner product, through faiss (on the GPU where its build can)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tasksearch.core.errors import MissingPackage

Vectors = npt.NDArray[np.float32]


def load_faiss() -> Any:
    """The faiss module.

    Raises:
        MissingPackage: with the line that installs it.
    """
    try:
        import faiss
    except ImportError:
        raise MissingPackage(
            "bitext retrieval needs faiss: pip install 'tasksearch[cpu]' (or 'tasksearch[gpu]' on CUDA 12; never both)"
        ) from None
    return faiss


def nearest(queries: Vectors, pool: Vectors) -> npt.NDArray[np.int64]:
    """(queries,) index of the pool row with the largest inner product; ties go to the lower index."""
    return neighbours(queries, pool, 1)[1][:, 0]


def neighbours(queries: Vectors, pool: Vectors, k: int) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """(queries, k) largest inner products and their pool rows, largest first; k at most the size of the pool."""
    faiss = load_faiss()
    index = faiss.IndexFlatIP(pool.shape[1])
    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0:
        index = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
    else:
        faiss.omp_set_num_threads(1)
    index.add(np.ascontiguousarray(pool))
    products, found = index.search(np.ascontiguousarray(queries), min(k, len(pool)))
    return np.asarray(products, dtype=np.float32), np.asarray(found, dtype=np.int64)
