"""Batches of every item of a list by length, for scoring: no gradients, little padding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from tasksearch.forward.batches import Batch, Specials, collate
from tasksearch.tasks.encode import Encoded

TOKENS = {"cpu": 2_048}
"""Kind of device → most tokens of a batch. On a CPU larger batches fall out of its caches (`benchmarks/evaluation.py`)."""
TOKENS_ELSEWHERE = 16_384
PADDING = 0.1
"""Share of padding that ends a batch, once it has `FEWEST` sequences: small languages are spread over many lengths."""
FEWEST = 8


def batches_by_length(
    items: Encoded, specials: Specials, device: torch.device
) -> Iterator[tuple[npt.NDArray[np.int64], Batch]]:
    """Yield (item indices, batch on the device) over all items, longest last.

    A batch has one item, or at most as many tokens as suit the device. Batches hold one language, so that a language's outcomes
    do not depend on which others are scored with it.
    """
    lengths = items.lengths * np.diff(items.first)
    sequences, real = np.diff(items.first), np.add.reduceat(items.tokens.lengths, items.first[:-1]) if len(items) else lengths
    order = np.argsort(lengths, kind="stable")
    for chosen in _cut(lengths[order], sequences[order], real[order], TOKENS.get(device.type, TOKENS_ELSEWHERE)):
        rows = order[chosen]
        yield rows, collate(items, rows, specials).to(device)


def _cut(
    lengths: npt.NDArray[np.int64], sequences: npt.NDArray[np.int64], real: npt.NDArray[np.int64], most: int
) -> Iterator[slice]:
    """Yield where ascending lengths are cut into batches.

    Args:
        lengths: padded tokens of each item alone.
        sequences: sequences of each item.
        real: tokens of each item without padding.
        most: tokens of a batch.
    """
    begin = 0
    while begin < len(lengths):
        end, tokens = begin + 1, int(real[begin])
        while end < len(lengths):
            width = (end - begin + 1) * int(lengths[end])
            tokens += int(real[end])
            enough = int(sequences[begin:end].sum()) >= FEWEST
            if width > most or (enough and width - tokens > PADDING * width):
                break
            end += 1
        yield slice(begin, end)
        begin = end
