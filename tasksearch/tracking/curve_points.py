"""Learning curves as points of stepped metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tasksearch.core.learning_curve import LearningCurve
from tasksearch.core.score import ENGLISH, ScoreTable

THROUGHPUT = "examples_per_second"


def curve_points(curves: Mapping[str, LearningCurve], scores: ScoreTable) -> Iterator[tuple[str, float, int]]:
    """Yield (metric, value, step), in order.

    The stages of the intermediate phase follow each other on one axis; each target has its own. English selection scores stand
    at the last step of their target, so that a short target phase is seen beside a long one.
    """
    done: dict[str, int] = {}
    for part, curve in sorted(curves.items(), key=_place):
        phase, _, name = part.partition("/")
        where = phase if phase == "intermediate" else part
        offset = done.get(where, 0)
        rows = {"loss": curve.loss, "learning_rate": curve.learning_rate, THROUGHPUT: curve.examples_per_second}
        for metric, values in rows.items():
            for step, value in zip(curve.steps, values, strict=True):
                yield f"{metric}/{where}", value, offset + step
        done[where] = offset + max(curve.steps, default=0)
        for score in scores if phase == "target" else ():
            if (score.target, score.language, score.half) == (name, ENGLISH, "select"):
                yield f"english_dev/{where}", score.value, done[where]


def _place(item: tuple[str, LearningCurve]) -> tuple[str, int, str]:
    phase, _, name = item[0].partition("/")
    return phase, int(name) if name.isdecimal() else 0, name
