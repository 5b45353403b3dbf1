"""Several trials on one GPU: whether NVIDIA's multi-process service (MPS) runs, and the share of it that a process asks for."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

_PIPES, _THREADS = "CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"


def mps_runs() -> bool:
    """Return whether a control daemon listens where this process would look for it; without one, processes take turns."""
    return (Path(os.environ.get(_PIPES) or "/tmp/nvidia-mps") / "control").exists()


def ask_for(share: float, environment: MutableMapping[str, str]) -> None:
    """Limit a process that has not used CUDA yet to twice its share of the multiprocessors, unless a limit is set.

    Twice: what another trial leaves idle may be used ("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE" in NVIDIA's documentation of MPS,
    which advises 100 % over half the number of processes).

    Args:
        share: of one GPU, above 0 and below 1.
        environment: of the process.
    """
    environment.setdefault(_THREADS, str(min(100, round(200 * share))))
