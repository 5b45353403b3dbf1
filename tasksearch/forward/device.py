"""Which device, which precision, how many threads."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import torch


def pick_device(wanted: str | None = None) -> torch.device:
    """`wanted`, else CUDA where there is one, else the CPU."""
    return torch.device(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[Any]:
    """bf16 autocast with fp32 weights, or nothing."""
    return torch.autocast(device.type, dtype=torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()


def one_thread(device: torch.device, threads: int = 1) -> None:
    """A fixed thread count: bit-equal results are promised at one only, and parallel trials gain nothing from more."""
    if device.type == "cpu":
        torch.set_num_threads(threads)


def be_deterministic() -> None:
    """Deterministic kernels for this process, so that a GPU repeats itself to the bit; to be called before CUDA is used.

    PyTorch's documentation ("Reproducibility") names the switches. The fused attention kernels accumulate in an
    order of their own and draw dropout inside themselves: the plain one stays.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    for fused in ("flash", "mem_efficient", "cudnn"):
        getattr(torch.backends.cuda, f"enable_{fused}_sdp")(False)
