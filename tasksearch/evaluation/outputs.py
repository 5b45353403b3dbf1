"""Outputs of a fine-tuned model for every item of a list, in its order: classes, tags, or logits of answer ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tasksearch.evaluation.predict import batches_by_length
from tasksearch.forward.batches import Batch, Specials
from tasksearch.forward.device import autocast
from tasksearch.forward.passes import encode_batch, label_logits, span_logits
from tasksearch.tasks.encode import Encoded


@dataclass(frozen=True, kw_only=True, eq=False)
class Outputs:
    """An encoder and a head, both in evaluation mode."""

    model: Any
    head: nn.Module
    specials: Specials
    precision: str

    def classes(self, items: Encoded) -> npt.NDArray[np.int64]:
        """Return the class or choice with the highest logit, shape (items,)."""
        predicted = np.empty(len(items), dtype=np.int64)
        for chosen, best in self._highest(items):
            predicted[chosen] = best
        return predicted

    def label_sets(self, items: Encoded) -> list[list[int]]:
        """Per item the labels whose probability is above a half, ascending."""
        predicted: list[list[int]] = [[] for _ in range(len(items))]
        for chosen, batch, hidden in self._encoded(items):
            with autocast(hidden.device, self.precision):
                above = (label_logits(self.head, hidden, batch, self.specials) > 0).cpu().numpy()
            for item, row in zip(chosen, above, strict=True):
                predicted[int(item)] = np.flatnonzero(row).tolist()
        return predicted

    def tags(self, items: Encoded, sentences: int) -> list[list[int]]:
        """Return one tag per word of every sentence."""
        per_item: list[Any] = [None] * len(items)
        for chosen, flat in self._highest(items):
            for item, part in zip(chosen, np.split(flat, np.cumsum(items.positions.lengths[chosen])[:-1]), strict=True):
                per_item[int(item)] = part
        predicted: list[list[int]] = [[] for _ in range(sentences)]
        for item in range(len(items)):  # the windows of a long sentence are in order
            predicted[int(items.owner[item])].extend(int(tag) for tag in per_item[item])
        return predicted

    def windows(self, items: Encoded) -> tuple[list[Any], list[float]]:
        """Return per item the (start, end) logits at each context token, and their sum at `<s>` ("no answer here")."""
        windows: list[Any] = [None] * len(items)
        nulls = [0.0] * len(items)
        for chosen, batch, hidden in self._encoded(items):
            with autocast(hidden.device, self.precision):
                starts, ends = span_logits(self.head, hidden, batch)
            tables = starts.cpu().numpy(), ends.cpu().numpy()
            for row, item in enumerate(chosen):
                columns = items.positions[int(item)]
                windows[int(item)] = (tables[0][row, columns], tables[1][row, columns])
                nulls[int(item)] = float(tables[0][row, 0] + tables[1][row, 0])
        return windows, nulls

    def _highest(self, items: Encoded) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        for chosen, batch, hidden in self._encoded(items):
            with autocast(hidden.device, self.precision):
                yield chosen, label_logits(self.head, hidden, batch, self.specials).argmax(-1).cpu().numpy()

    def _encoded(self, items: Encoded) -> Iterator[tuple[npt.NDArray[np.int64], Batch, torch.Tensor]]:
        """Yield (item indices, batch, token vectors) over all items, on the head's device."""
        device = next(self.head.parameters()).device
        for chosen, batch in batches_by_length(items, self.specials, device):
            with autocast(device, self.precision):
                hidden = encode_batch(self.model, batch.ids, self.specials, padded=batch.padded).last_hidden_state
            yield chosen, batch, hidden
