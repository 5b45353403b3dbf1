"""Memory of a training process on a CPU: activations that are computed again on the way back where they would not fit.

Block by block, the same operations on the same numbers with the same random draws: the same bits, for about a third more work.
A GPU's step is cut into smaller forward passes instead (`training.micro`), which changes the order of sums.
"""

from __future__ import annotations

import ctypes
import gc
import math
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any

import psutil

from tasksearch.models.families import family_of

_SLACK = 1.4
"""What the allocator needs for what is held: measured on steps of 16 x 256 tokens."""
_STATE = 12
"""Bytes of a trained parameter beside itself: its gradient and AdamW's two moments, in single precision."""


def memory_of_a_core() -> int:
    """Return this machine's memory in bytes over its cores: what a process of one thread may take if nothing else is said."""
    return int(psutil.virtual_memory().total / (os.cpu_count() or 1))


def room_for_activations(most: int, parameters: int) -> int:
    """Return the bytes that the activations of a forward pass may take in a process that is about to train.

    Args:
        most: bytes that the process may take, resident pages of libraries and mapped files included.
        parameters: numbers to be trained.
    """
    give_back()
    return max(0, most - int(psutil.Process().memory_info().rss) - _STATE * parameters)


def activation_bytes(config: Any, sequences: int, tokens: int) -> int:
    """Estimate what a forward pass of `sequences` x `tokens` keeps for its gradient, in bytes.

    Per token and block 13 vectors of the model's width and two of its feed-forward layer's, and three tables of attention per
    head; measured on XLM-R's blocks.
    """
    width, heads = int(config.hidden_size), int(config.num_attention_heads)
    inner = int(getattr(config, "intermediate_size", None) or 4 * width)
    numbers = 13 * width + 2 * inner + 3 * heads * tokens
    return round(_SLACK * 4 * int(config.num_hidden_layers) * sequences * tokens * numbers)


@contextmanager
def recomputed(
    model: Any, sequences: int, tokens: int, room: int | None, dropout: AbstractContextManager[Any]
) -> Iterator[None]:
    """Within this, a forward pass keeps of as many of its first blocks as it must their input alone.

    The way back reaches them last, when what the others kept is gone. Without effect on an encoder
    that is not transformers' own.

    Args:
        room: bytes that the activations of a pass of `sequences` x `tokens` may take; None: any.
        dropout: the context that the pass draws its dropout in, entered again on the way back.
    """
    if room is None or not family_of(model).stock or (needed := activation_bytes(model.config, sequences, tokens)) <= room:
        yield
        return
    from torch.utils import checkpoint
    from transformers.modeling_layers import GradientCheckpointingLayer

    blocks = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    # one more than must be, for what the way back itself holds
    chosen = blocks[: math.ceil(len(blocks) * (1 - room / needed)) + 1]
    for block in chosen:
        block.gradient_checkpointing = True
        block._gradient_checkpointing_func = partial(
            checkpoint.checkpoint, use_reentrant=False, context_fn=lambda: (nullcontext(), dropout)
        )
    try:
        yield
    finally:
        for block in chosen:
            block.gradient_checkpointing = False


def give_back() -> None:
    """Return freed memory to the system, where the C library is glibc: it keeps a step's activations for the next one."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def settle() -> None:
    """Leave what this process has loaded so far out of all later collections, once: libraries, the pretrained model, data.

    They are half a million objects, and a collection took 0.3 s to look at them. For a process that trains and
    does nothing else: cycles among what was there are never collected.
    """
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


_WORTH_A_COLLECTION = 30.0
"""Seconds of a part of which a collection over all that Python holds, 0.3 s, is a hundredth."""


def release(spent: float) -> None:
    """Delete what no longer has an owner, and return its memory; unless that would take long beside the part that is over.

    A model and its optimiser refer to themselves, and Python collects such objects only after many new ones. Without this a
    worker keeps the models of several finished parts. A worker, which is settled, collects after every part.

    Args:
        spent: seconds that the part took.
    """
    if spent >= _WORTH_A_COLLECTION or gc.get_freeze_count():
        gc.collect()
        give_back()
