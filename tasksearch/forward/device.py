"""Device, precision and number of threads."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import torch


def pick_device(wanted: str | None = None) -> torch.device:
    """Return the device `wanted`, else CUDA where available, else the CPU."""
    return torch.device(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[Any]:
    """Return the context of bf16 autocast with fp32 weights, or one that does nothing."""
    return torch.autocast(device.type, dtype=torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()


def one_thread(device: torch.device, threads: int = 1) -> None:
    """Set the number of threads: results are bit-equal with one only, and parallel trials gain nothing from more."""
    if device.type == "cpu":
        torch.set_num_threads(threads)


def be_deterministic() -> None:
    """Use deterministic kernels in this process, so that a GPU gives bit-equal results; call it before CUDA is used.

    The switches are those of PyTorch's documentation ("Reproducibility"). The fused attention kernels are turned off: they
    accumulate in an undefined order and draw dropout inside the kernel.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    for fused in ("flash", "mem_efficient", "cudnn"):
        getattr(torch.backends.cuda, f"enable_{fused}_sdp")(False)
