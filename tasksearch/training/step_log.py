"""`StepLog`: collects the learning curve of the segment that this process trains."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tasksearch.core.learning_curve import MOST_POINTS, LearningCurve


@dataclass
class StepLog:
    """Losses of the latest segment, gathered into at most about `MOST_POINTS` means. Reads nothing that training computes anew.

    Attributes:
        curve: so far.
    """

    curve: LearningCurve = field(default_factory=LearningCurve)

    def begin(
        self, total: int, batch_size: int, rate_at: Callable[[int], float], before: LearningCurve
    ) -> Callable[[int, float], None]:
        """Begin a segment; the returned function takes each step's number from 1 and its loss.

        Args:
            total: steps of the segment.
            batch_size: examples of a step.
            rate_at: step from 0 → learning rate.
            before: curve of the steps that an earlier process did.
        """
        every, losses = max(1, -(-total // MOST_POINTS)), list[float]()
        self.curve, since = before, time.perf_counter()

        def note(step: int, loss: float) -> None:
            nonlocal since
            losses.append(loss)
            if step % every and step != total:
                return
            now = time.perf_counter()
            self.curve += LearningCurve(
                steps=(step,),
                loss=(sum(losses) / len(losses),),
                learning_rate=(rate_at(step - 1),),
                examples_per_second=(batch_size * len(losses) / max(now - since, 1e-9),),
            )
            losses.clear()
            since = now

        return note

    @property
    def note(self) -> dict[str, Any]:
        """Return the curve for a segment's manifest; empty where nothing was trained."""
        return {"curve": self.curve.to_json()} if self.curve.steps else {}
