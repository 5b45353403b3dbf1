"""Which device, which precision, how many threads."""

from __future__ import annotations

import contextlib
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
