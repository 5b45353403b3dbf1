"""Schedule → pieces of training, each with its learning-rate curve; pure.

A piece is a stage, or under a warmup-stable-decay curve a part of one: the stable part is cut after every rung, and where it
ends, so that phases of other lengths share what they have in common. Examples per task are rounded per piece.
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
        stage: its mixture and steps.
        curve: its learning rates.
        carried: whether it goes on with the optimiser's state of the piece before.
        carries: whether the next piece goes on with its own.
    """

    stage: Stage
    curve: Curve | StableCurve
    carried: bool
    carries: bool

    def recipe(self) -> dict[str, Any]:
        """What the curve decides, for the segment's name. A stable piece names no length of the phase."""
        curve = self.curve
        if isinstance(curve, Curve):
            return {"curve": [curve.total, curve.begin], "carries": self.carries}
        if curve.begin + self.stage.steps <= curve.stable:
            return {"wsd": [curve.rising, curve.begin], "carries": self.carries}
        return {"wsd": [curve.rising, curve.begin, curve.stable, curve.total], "carries": self.carries}


def lr_segments_of(schedule: Schedule, settings: TrainSettings) -> tuple[LRSegment, ...]:
    """The pieces in the order they are trained."""
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
    """The step at which a `wsd` curve begins to fall: whole rungs, at most (1 - decay) of the phase; of a phase shorter than
    that, the end of the warmup.
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
    """Steps of the stage's pieces. A moving mixture is never cut: another length moves it otherwise."""
    if settings.curve == "linear" or stage.annealed:
        yield stage.steps
        return
    end, stable = begin + stage.steps, stable_end(total, settings)
    marks = [mark for mark in (*range(0, stable, _rung(settings)), stable) if begin < mark < end]
    for first, last in zip([begin, *marks], [*marks, end], strict=True):
        yield last - first
