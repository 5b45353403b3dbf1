"""What the parts of a plan come to, and the whole plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from tasksearch.core.score import Half, ScoreTable
from tasksearch.metrics.outcomes import Outcomes

Cell = tuple[str, str, Half]
OnStep = Callable[[str, int, int], None]
"""(part, step, steps): progress inside a part."""


@dataclass(kw_only=True)
class PartOutcome:
    """What one part came to.

    Attributes:
        scores, outcomes: of a target's part; empty for an intermediate one.
        seconds: spent by kind of work; `reused` counts what the store saved.
        steps: optimiser steps taken (0 where the store had the segment).
    """

    scores: ScoreTable = field(default_factory=ScoreTable)
    outcomes: dict[Cell, Outcomes] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    steps: int = 0


@dataclass(kw_only=True)
class TrainedTarget(PartOutcome):
    """A target's part with the model behind its scores.

    Attributes:
        model: the model whose encoder was fine-tuned; that of phase 2 where the target trains nothing.
        head: the target's head; None for retrieval.
    """

    model: Any
    head: nn.Module | None


@dataclass(frozen=True, kw_only=True)
class PlanResult:
    """What a plan came to: the whole table of scores, per-example outcomes, seconds by kind of work, facts for tags."""

    scores: ScoreTable
    outcomes: dict[Cell, Outcomes]
    seconds: dict[str, float]
    facts: dict[str, str]
