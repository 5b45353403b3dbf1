"""`WeightAverage`: the mean of a training's weights after stated steps, taken while it trains.

Averaging the last checkpoints of one run costs no training; for zero-shot transfer to other languages it was found to beat the
last checkpoint and to need no target-language data (Schmidt, Vulić and Glavaš, ACL 2023).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from tasksearch.training.learner import Learner


class WeightAverage:
    """A sum in fp32 of all weights, heads included, in the order of the steps, so that a resumed training adds the same bits.

    Args:
        steps: numbers of steps, from 1, after which weights are added; the last one is the end of the training.
        sums: weights that were added before, as `tables` gave them.
    """

    def __init__(self, steps: Sequence[int], sums: Mapping[str, torch.Tensor] | None = None) -> None:
        self.steps = frozenset(steps)
        self._sums = dict(sums or {})

    @torch.no_grad()
    def add(self, learner: Learner) -> None:
        """Add the learner's weights; its embedding table must be the full one."""
        for name, weight in learner.named_parameters():
            if name in self._sums:
                self._sums[name] = self._sums[name].to(weight.device).add_(weight.float())
            else:
                self._sums[name] = weight.detach().float().clone()

    @torch.no_grad()
    def apply(self, learner: Learner) -> None:
        """Replace the learner's weights by the mean."""
        for name, weight in learner.named_parameters():
            weight.copy_(self._sums[name] / len(self.steps))

    @property
    def tables(self) -> dict[str, torch.Tensor]:
        """What was added so far, on the CPU, for a snapshot of the training."""
        return {name: table.to("cpu", copy=True) for name, table in self._sums.items()}
