"""`EarlyStopping`: scores a training on the way and remembers the weights of the best score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

Tables = dict[str, dict[str, torch.Tensor]]


@dataclass(kw_only=True, eq=False)
class EarlyStopping:
    """State of one training that is scored every `every` steps and after its last one.

    A score counts as better if it is larger than all before it, so that of equal scores the earliest is kept. Scoring draws no
    random numbers, so that the steps themselves are those of a training that is not scored.

    Attributes:
        every: steps between two scores.
        patience: scores in a row without a better one that end the training.
        score: scores the model as it is now.
        weights: copies the model's weights, by table.
        best: weights of the best score.
        best_score, best_step: the best score and the steps that it was found after.
        waited: scores since then.
        step: step of the last score.
    """

    every: int
    patience: int
    score: Callable[[], float]
    weights: Callable[[], Tables]
    best: Tables = field(default_factory=dict)
    best_score: float | None = None
    best_step: int = 0
    waited: int = 0
    step: int = 0

    def is_due(self, step: int, total: int) -> bool:
        """Whether the training is to be scored after this step, counted from 1."""
        return step % self.every == 0 or step == total

    def ends(self, step: int) -> bool:
        """Score the training after this step; return whether patience is exhausted."""
        found, self.step = self.score(), step
        if self.best_score is None or found > self.best_score:
            self.best, self.best_score, self.best_step, self.waited = self.weights(), found, step, 0
        else:
            self.waited += 1
        return self.waited >= self.patience

    @property
    def note(self) -> dict[str, Any]:
        """Plain values to keep with a snapshot and with the finished training."""
        return {"score": self.best_score, "best_step": self.best_step, "waited": self.waited, "step": self.step}

    def go_on(self, note: Mapping[str, Any], best: Tables) -> None:
        """Take up the state of a snapshot: its `note` and the best weights so far."""
        self.best_score, self.best_step = note["score"], int(note["best_step"])
        self.waited, self.step, self.best = int(note["waited"]), int(note["step"]), best
