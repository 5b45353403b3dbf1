"""The rows of the embedding table that a segment trains: a compact table in training, the full one in everything stored.

A text of 250,000 possible pieces uses a few thousand. The other rows have no gradient and no moments, so AdamW does nothing but
decay them: that is made up for when the full table is wanted, step by step, in single precision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from tasksearch.models.families import family_of
from tasksearch.tasks.encode import Encoded
from tasksearch.training.learner import TABLE, Learner, TrainingTask
from tasksearch.training.order import StepItems

Rows = npt.NDArray[np.int64]

_CHUNK = 1 << 17
"""Numbers of the full table that are decayed at once: half a megabyte, which stays in a core's cache from step to step."""


def rows_of(
    learner: Learner, tasks: Mapping[str, TrainingTask], steps: Sequence[StepItems], carried: Mapping[str, torch.Tensor]
) -> Rows | None:
    """Return the rows that a segment trains, ascending: those of its own texts, and those whose moments its ancestors carry.

    Args:
        steps: all steps of the segment, those of before a snapshot too: the rows depend on what its signature names alone.
        carried: optimiser state that it begins with.

    Returns:
        None for the whole table. MLM trains it all, as does what continues MLM's moments; of an encoder that is not
        transformers' own it is not known who else reads the table.
    """
    table = learner.model.get_input_embeddings()
    plain = type(table) is nn.Embedding and table.max_norm is None and not (table.scale_grad_by_freq or table.sparse)
    trained = {name for step in steps for name, _ in step.everything}
    if not (plain and family_of(learner.model).stock) or any(tasks[name].head is None for name in trained):
        return None
    earlier = _earlier_rows(carried)
    if earlier is None:
        return None
    used = np.zeros(table.num_embeddings, dtype=bool)
    used[[*learner.specials.template.ids, learner.specials.pad]] = True
    used[earlier] = True
    for name in trained:
        shown = np.unique(np.concatenate([items for step in steps for task, items in step.everything if task == name]))
        used[_pieces(tasks[name].items, shown)] = True
    return np.flatnonzero(used).astype(np.int64)


def _earlier_rows(carried: Mapping[str, torch.Tensor]) -> Rows | None:
    if f"{TABLE}/rows" in carried:
        return carried[f"{TABLE}/rows"].numpy()
    return None if f"{TABLE}/exp_avg" in carried else np.empty(0, dtype=np.int64)


def _pieces(items: Encoded, shown: Rows) -> npt.NDArray[np.int32]:
    """Return the pieces of some items, repetitions included."""
    begin, end = items.tokens.bounds[items.first[shown]], items.tokens.bounds[items.first[shown + 1]]
    lengths = end - begin
    ahead = np.cumsum(lengths) - lengths
    return np.asarray(items.tokens.flat[np.repeat(begin - ahead, lengths) + np.arange(lengths.sum())])


class _Compact(nn.Module):
    """Looks pieces up in a table of some rows; a piece of no row is an IndexError."""

    def __init__(self, full: nn.Embedding, rows: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(full.weight.detach()[rows].clone())
        places = torch.full((full.num_embeddings,), full.num_embeddings, dtype=torch.long, device=rows.device)
        places[rows] = torch.arange(len(rows), device=rows.device)
        self.places: torch.Tensor
        self.register_buffer("places", places, persistent=False)
        self.padding_idx = None if full.padding_idx is None else int(places[full.padding_idx])

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Map (batch, tokens) to (batch, tokens, width)."""
        return F.embedding(self.places[ids], self.weight, self.padding_idx)


class CompactTable:
    """Puts a compact table in the place of a model's embedding table while the model is trained.

    The full table is what the model was given with, tied to the MLM head or not; it is out of date until `restore`.

    Args:
        rows: row numbers, ascending; every piece that is looked up is among them.
        decay: weight decay, as AdamW's.
    """

    def __init__(self, model: Any, rows: Rows, decay: float) -> None:
        self._model, self._decay = model, decay
        self._full: nn.Embedding = model.get_input_embeddings()
        self.rows = torch.from_numpy(rows)
        self._compact = _Compact(self._full, self.rows.to(self._full.weight.device))
        self._compact.train(self._full.training)
        self._pending: list[float] = []
        self.replace()

    @property
    def weight(self) -> nn.Parameter:
        """The compact table, (rows, width): what the optimiser steps, without a decay of its own."""
        return self._compact.weight

    def decay(self, rate: float) -> None:
        """Decay every row as AdamW does before a step of this rate: the compact table now, the others when they are wanted."""
        factor = 1 - rate * self._decay
        if factor != 1:
            with torch.no_grad():
                self._compact.weight.mul_(factor)
            self._pending.append(factor)

    def restore(self) -> None:
        """Give the model its full table back, up to date."""
        with torch.no_grad():
            full = self._full.weight
            for chunk in torch.split(full.view(-1), _CHUNK) if full.device.type == "cpu" else (full,):
                _multiply(chunk, self._pending)
            full[self.rows.to(full.device)] = self._compact.weight
        self._pending.clear()
        self._full.weight.requires_grad_(True)
        self._model.set_input_embeddings(self._full)

    def replace(self) -> None:
        """Put the compact table in place, after `restore` again."""
        self._full.weight.requires_grad_(False)  # it is still there under the MLM head's name, where that is tied to it
        self._model.set_input_embeddings(self._compact)


def _multiply(numbers: torch.Tensor, factors: Iterable[float]) -> None:
    # one product of all factors would round once where AdamW rounds at every step
    for factor in factors:
        numbers.mul_(factor)
