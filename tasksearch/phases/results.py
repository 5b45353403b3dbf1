"""Results of the parts of a plan, and of the whole plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from tasksearch.core.score import Half, ScoreTable
from tasksearch.metrics.outcomes import Outcomes

Cell = tuple[str, str, Half]
OnStep = Callable[[str, int, int], None]
"""Progress callback: (part, step, steps)."""


@dataclass(kw_only=True)
class PartOutcome:
    """Result of one part.

    Attributes:
        scores, outcomes: scores and per-example outcomes of a target's part; empty for an intermediate part.
        seconds: time by kind of work; `reused` is the time that the store saved.
        steps: optimiser steps taken (0 if the segment was in the store).
    """

    scores: ScoreTable = field(default_factory=ScoreTable)
    outcomes: dict[Cell, Outcomes] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    steps: int = 0


@dataclass(kw_only=True)
class TrainedTarget(PartOutcome):
    """Result of a target's part, with the model behind its scores.

    Attributes:
        model: the model whose encoder was fine-tuned; that of phase 2 where the target trains nothing.
        head: the target's head; None for retrieval.
    """

    model: Any
    head: nn.Module | None


@dataclass(frozen=True, kw_only=True)
class PlanResult:
    """Result of a plan: all scores, per-example outcomes, seconds by kind of work, and facts for tags."""

    scores: ScoreTable
    outcomes: dict[Cell, Outcomes]
    seconds: dict[str, float]
    facts: dict[str, str]
