"""Device, precision and number of threads."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import torch


def pick_device(wanted: str | None = None) -> torch.device:
    """Return the device `wanted`, else CUDA where available, else the CPU."""
    return torch.device(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))


BF16_WIDTH = 256
"""Least width of an encoder for which bf16 pays on a CPU: 1.3 to 1.65 times fp32 from here on, 0.65 times at the lab's 64."""


def automatic_precision(width: int, device: torch.device) -> str:
    """Return the precision for a model of this hidden width: a rule of device capability and shape, nothing is measured.

    On a GPU bf16 where it has bf16 matrix units (compute capability 8.0 on); on a CPU bf16 where it has the instructions
    (AVX-512 BF16 or AMX) and the model is at least `BF16_WIDTH` wide; else fp32.
    """
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp32"
    able = device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
    return "bf16" if able and width >= BF16_WIDTH else "fp32"


def hardware_of(device: torch.device) -> str:
    """Return the GPU's model and the version of its kernels, which decide a result's last bits; `cpu` for a CPU."""
    if device.type != "cuda":
        return device.type
    major, minor = torch.cuda.get_device_capability(device)
    return f"{torch.cuda.get_device_name(device)}, sm {major}.{minor}, CUDA {torch.version.cuda}"


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[Any]:
    """Return the context of bf16 autocast with fp32 weights, or one that does nothing.

    What autocast leaves in fp32 is multiplied in TF32 on a GPU under bf16, and in full fp32 otherwise.
    """
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = precision == "bf16"
    return torch.autocast(device.type, dtype=torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()


def one_thread(device: torch.device, threads: int = 1) -> None:
    """Set the number of threads: results are bit-equal with one only, and parallel trials gain nothing from more."""
    if device.type == "cpu":
        torch.set_num_threads(threads)
        keep_few_kernels()


_KERNELS = 64
"""Matrix products that oneDNN keeps compiled. A step in bf16 needs some thirty for every width of a batch, each compiled in
2 ms and a megabyte large; widths of before are rarely met again."""


def keep_few_kernels() -> None:
    """Limit what oneDNN and torch's layer above it keep compiled, unless the environment does.

    They keep 1,024 products each: a gigabyte in a process that trains in bf16 on a CPU. To be called before the first of them.
    """
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, str(_KERNELS))


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
