"""Micro-batch sizes: how many examples of a task one forward pass holds, as many as configured unless memory runs out."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import torch

_LOG = logging.getLogger(__name__)


@dataclass
class MicroSizes:
    """The examples that fit into memory, by task; known for the lifetime of the object.

    Attributes:
        most: task → most examples in one forward pass; only for tasks that ran out of memory or were probed.
        used: task → examples in a forward pass where a step had to be cut, for the segment's manifest.
        current: the task of the latest forward pass.
        memory: bytes that this process may take on a CPU; None: any.
        room: of them, what the activations of one forward pass may take; set when a segment begins.
    """

    most: dict[str, int] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    current: str = ""
    memory: int | None = None
    room: int | None = None
    _tried: int = 0

    @property
    def note(self) -> dict[str, dict[str, int]]:
        """Return the sizes for a segment's manifest; empty where no step was cut."""
        return {"micro_batch": dict(self.used)} if self.used else {}

    def of(self, task: str, asked: int, items: int) -> int:
        """Return the examples in one forward pass of `items`, at most as many as configured."""
        self.current = task
        self._tried = max(1, min(asked, self.most.get(task, asked), items))
        if self._tried < items:
            self.used[task] = self._tried
        return self._tried

    def halve(self) -> bool:
        """Halve the size after memory ran out; return False where it was one example already."""
        if self._tried <= 1:
            return False
        self.most[self.current] = (self._tried + 1) // 2
        _LOG.warning(
            "out of memory with %d examples of %s at once; trying %d", self._tried, self.current, self.most[self.current]
        )
        return True


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means out of memory: CUDA's, the CPU allocator's, or Python's."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return "DefaultCPUAllocator: can't allocate memory" in text or "CUBLAS_STATUS_ALLOC_FAILED" in text
