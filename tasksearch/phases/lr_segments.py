"""Divide a schedule into learning-rate segments, each with its part of the learning-rate curve; pure functions.

A segment is a stage, or, under a warmup-stable-decay curve, a part of one: the stable part is cut after every rung and at its
end, so that phases of different lengths share what they have in common. Examples per task are rounded per segment.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tasksearch.core.plan import TrainSettings
from tasksearch.core.schedule import Schedule, Stage
from tasksearch.training.curves import Curve, StableCurve


@dataclass(frozen=True, kw_only=True)
class LRSegment:
    """What one segment trains.

    Attributes:
        stage: mixture and steps of the segment.
        curve: learning-rate curve, positioned at the segment's first step.
        carried: whether it continues with the optimiser state of the previous segment.
        carries: whether the next segment continues with this one's optimiser state.
    """

    stage: Stage
    curve: Curve | StableCurve
    carried: bool
    carries: bool

    def recipe(self) -> dict[str, Any]:
        """Return what the curve contributes to the segment's signature.

        A segment of the stable part omits the length of the phase.
        """
        curve = self.curve
        if isinstance(curve, Curve):
            return {"curve": [curve.total, curve.begin], "carries": self.carries}
        if curve.begin + self.stage.steps <= curve.stable:
            return {"wsd": [curve.rising, curve.begin], "carries": self.carries}
        return {"wsd": [curve.rising, curve.begin, curve.stable, curve.total], "carries": self.carries}


def lr_segments_of(schedule: Schedule, settings: TrainSettings) -> tuple[LRSegment, ...]:
    """Return the segments in training order."""
    pieces: list[LRSegment] = []
    begun = 0
    for stage in schedule.stages:
        begin, total = (begun, schedule.steps) if settings.lr_policy == "phase" else (0, stage.steps)
        for steps in _cuts(stage, begin, total, settings):
            cut = stage if steps == stage.steps else dataclasses.replace(stage, steps=steps)
            piece = LRSegment(stage=cut, curve=_curve(settings, begin, total), carried=begin > 0, carries=False)
            if piece.carried:
                pieces[-1] = dataclasses.replace(pieces[-1], carries=True)
            pieces.append(piece)
            begin += steps
        begun += stage.steps
    return tuple(pieces)


def stable_end(total: int, settings: TrainSettings) -> int:
    """Return the step at which a `wsd` curve begins to fall: a multiple of the rung, at most (1 - decay) of the phase.

    If not even one rung fits, this is the end of the warmup, or the end of the phase if that comes first.
    """
    room = (1 - Fraction(settings.decay).limit_denominator(10**6)) * total
    rung = _rung(settings)
    return int(room // rung) * rung or min(total, _rising(settings))


def _rising(settings: TrainSettings) -> int:
    return max(1, round(settings.warmup * _rung(settings))) if settings.warmup else 0


def _rung(settings: TrainSettings) -> int:
    assert settings.rung is not None, "a wsd curve has rungs: TrainSettings checks it"
    return settings.rung


def _curve(settings: TrainSettings, begin: int, total: int) -> Curve | StableCurve:
    if settings.curve == "linear":
        return Curve(total=total, begin=begin, warmup=settings.warmup)
    return StableCurve(rising=_rising(settings), stable=stable_end(total, settings), total=total, begin=begin)


def _cuts(stage: Stage, begin: int, total: int, settings: TrainSettings) -> Iterator[int]:
    """Yield the number of steps of each segment of the stage.

    An annealed stage is never cut: its mixture depends on its whole length.
    """
    if settings.curve == "linear" or stage.annealed:
        yield stage.steps
        return
    end, stable = begin + stage.steps, stable_end(total, settings)
    marks = [mark for mark in (*range(0, stable, _rung(settings)), stable) if begin < mark < end]
    for first, last in zip([begin, *marks], [*marks, end], strict=True):
        yield last - first
