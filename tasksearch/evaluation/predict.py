"""Model outputs for every item of a list, in the list's order: batches by length, no gradients."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tasksearch.forward.batches import Batch, Specials, collate
from tasksearch.tasks.encode import Encoded

TOKENS_PER_BATCH = 16_384


def batches_by_length(
    items: Encoded, specials: Specials, tokens: int = TOKENS_PER_BATCH
) -> Iterator[tuple[npt.NDArray[np.int64], Batch]]:
    """Yield (item indices, batch) over all items, longest last; a batch has at most `tokens` tokens, or one item."""
    lengths = items.lengths * np.diff(items.first)
    order = np.argsort(lengths, kind="stable")
    begin = 0
    while begin < len(order):
        end = begin + 1
        while end < len(order) and (end - begin + 1) * int(lengths[order[end]]) <= tokens:
            end += 1
        chosen = order[begin:end]
        yield chosen, collate(items, chosen, specials)
        begin = end
