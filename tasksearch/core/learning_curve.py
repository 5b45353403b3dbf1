"""`LearningCurve`: loss, learning rate and throughput of one segment's training, as few points as a chart needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

CURVES = "curves.json"
"""Name of the file of a trial's curves, by part."""
MOST_POINTS = 20
"""Points of a segment's curve: a chart shows no more, and a tracker takes about a millisecond for each."""


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """Points of one segment. Losses and throughput are means since the point before; all sequences have equal lengths.

    Attributes:
        steps: optimiser steps done, counted within the segment, increasing.
        loss: mean training loss.
        learning_rate: of the encoder, at that step.
        examples_per_second: on this machine, beside whatever else ran on it.
    """

    steps: Sequence[int] = ()
    loss: Sequence[float] = ()
    learning_rate: Sequence[float] = ()
    examples_per_second: Sequence[float] = ()

    def __post_init__(self) -> None:
        if len({len(self.steps), len(self.loss), len(self.learning_rate), len(self.examples_per_second)}) != 1:
            raise ValueError("a learning curve's sequences differ in length")

    def __add__(self, later: LearningCurve) -> LearningCurve:
        """Return this curve up to where `later` begins, then `later`."""
        kept = sum(step < min(later.steps, default=float("inf")) for step in self.steps)
        mine, others = asdict(self), asdict(later)
        return LearningCurve(**{name: (*mine[name][:kept], *others[name]) for name in mine})

    def to_json(self) -> dict[str, Any]:
        """Return the plain form, with four significant digits."""
        return {
            name: [float(f"{value:.4g}") if name != "steps" else value for value in row] for name, row in asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Restore a curve from the output of `to_json`."""
        return cls(**{name: tuple(row) for name, row in data.items()})


def read_curves(path: Path) -> dict[str, LearningCurve]:
    """Read a trial's curves by part; empty where the file is missing or damaged, for nothing is decided by them."""
    try:
        return {part: LearningCurve.from_json(curve) for part, curve in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
