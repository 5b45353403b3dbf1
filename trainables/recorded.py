"""A trainable that answers from a planted score surface: no model, milliseconds per trial.

For tests of the search, and for rehearsing a search space. The surface is a pure function of plan and seed. The score of one
target and language, in points, is

    base + dose · (Σ share · effect + interactions) · transfer + order + forgetting + seed noise

Effects and noise are drawn from signatures, so that every task, target and language has its own fixed ones; `transfer` has
rank two over languages; `order` rewards a task that comes last; `forgetting` grows with the steps. Scores are then counted
over examples, which are the same in every trial: an example of difficulty u in [0, 1) is right if u is below the surface.
"""

from __future__ import annotations

import dataclasses
import math
import os
import random
import signal
import statistics
import time
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.errors import BadInput
from tasksearch.core.plan import Plan
from tasksearch.core.required_segments import RequiredSegment
from tasksearch.core.score import ENGLISH, HALVES, Half, Score, ScoreTable
from tasksearch.core.signature import seed_from
from tasksearch.testing.timed_segments import TimedSegments, TimedSettings
from trainables.base import PartResult, PlanTrainable

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Parameters of a planted score surface.

    Attributes:
        world: seed of the effects.
        base: score of the baseline, percent.
        effect: standard deviation of a task's effect on a target, points.
        interaction: standard deviation of the effect of two tasks trained in one phase, points.
        order: points for the task that comes last, times the sign of its effect.
        forgetting: points lost per doubling of the steps beyond 64.
        noise: standard deviation over seeds, points.
        examples: number of selection, and of reporting, examples per target and language.
        shortened: points that a target phase without any steps would lose; one with a share of its steps loses in proportion.
        labels: points that few-shot controls gain in every language but English.
    """

    world: int = 0
    base: float = 55.0
    effect: float = 6.0
    interaction: float = 2.0
    order: float = 1.5
    forgetting: float = 0.5
    noise: float = 1.0
    examples: int = 200
    shortened: float = 0.0
    labels: float = 4.0

    def score(self, plan: Plan, target: str, language: str) -> float:
        """Return the score in percent, in [1, 99], with the seed's noise."""
        training = dataclasses.replace(plan, targets=(), languages=()).signature  # noise must not depend on other cells
        noise = self._drawn("noise", training, target, language) * self.noise
        lost = self.shortened * (1 - plan.target_share)
        return min(99.0, max(1.0, self.truth(plan, target, language) + noise - lost))

    def truth(self, plan: Plan, target: str, language: str) -> float:
        """Return the score in percent without noise. A soup scores the mean of its mixes; labels of a language add `labels`."""
        if plan.few_shot:
            told = self.labels if language != ENGLISH else 0.0
            return told + self.truth(dataclasses.replace(plan, few_shot=False), target, language)
        if plan.soup:
            return statistics.fmean(self.truth(mix, target, language) for mix in plan.soup_members)
        schedule = plan.schedule
        if not schedule.stages:
            return self.base
        shares = {task: float(schedule.share(task)) for task in schedule.tasks}
        gain = sum(share * self.task_effect(task, target) for task, share in shares.items())
        pairs = [(a, b) for a in shares for b in shares if a < b]
        gain += sum(4 * shares[a] * shares[b] * self._drawn("pair", a, b, target) * self.interaction for a, b in pairs)
        doublings = math.log2(schedule.steps / 64)
        gain *= self._transfer(target, language) * max(0.2, 1 + 0.3 * doublings)
        if schedule.kind != "joint":
            gain += self.order * math.copysign(1, self.task_effect(schedule.order[-1], target))
        return self.base + gain - self.forgetting * max(0.0, doublings)

    def task_effect(self, task: str, target: str) -> float:
        """Return the effect in points of the task alone at 64 steps, in a language of average transfer."""
        return self._drawn("task", task, target) * self.effect

    def _transfer(self, target: str, language: str) -> float:
        first, second = self._drawn("language 1", language), self._drawn("language 2", language)
        return 1 + 0.3 * first + 0.2 * second * self._drawn("target 2", target)

    def _drawn(self, *names: Any) -> float:
        return random.Random(seed_from("surface", self.world, *names)).gauss(0.0, 1.0)


class RecordedTrainable(PlanTrainable):
    """Runs one part for the intermediate phase, if there is one, then one per target.

    Context: `surface` (fields of `Surface`), and entries for tests:

    - `sleep`: seconds per part;
    - `segments`: fields of `TimedSettings`; one part per segment, which takes its time and is reused as from a store;
    - `raise_in`, `nan_in`, `full_in`: numbers of trials that raise, report NaN, or meet a full disk;
    - `kill_in`, `kill_always_in`: numbers of trials whose worker kills itself, the first time or every time;
    - `kill_at_reset_of`: the same, the first time that a reused worker takes the trial;
    - `per_document`: number of examples per document; without it documents are unknown.
    """

    def prepare(self) -> None:
        """Read the context."""
        self._surface = surface_of(self.context)
        played = self.context.get("segments")
        self._segments = TimedSegments(self.plan, self.number, TimedSettings(**played)) if played else None

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin a trial in a reused actor; called by Ray."""
        number, context = int(new_config["number"]), new_config["context"]
        if number in context.get("kill_at_reset_of", ()) and _first_time(context["study_folder"], number):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().reset_config(new_config)

    def missing(self, position: int) -> tuple[RequiredSegment, ...]:
        """Return the segments that the simulated store lacks."""
        return self._segments.missing(position) if self._segments and self.context["segments"].get("store") else ()

    def parts(self) -> tuple[str, ...]:
        """Return `intermediate` (`intermediate/0` … with `segments`), then `target/<name>` …."""
        if self._segments:
            return tuple(self._segments.needs)
        first = ("intermediate",) if self.plan.schedule.stages else ()
        return first + tuple(f"target/{target}" for target in self.plan.targets)

    def run_part(self, name: str) -> PartResult:
        """Return scores and outcomes from the surface."""
        time.sleep(float(self.context.get("sleep", 0.0)))
        spent = self._segments.train(name) if self._segments else {name.partition("/")[0]: 0.0}
        if name.startswith("intermediate"):
            return PartResult(seconds=spent, facts={"device": "recorded"})
        self._misbehave()
        rows: list[Score] = []
        outcomes: dict[tuple[str, str, Half], Array] = {}
        target = name.partition("/")[2]
        nan = self.number in self.context.get("nan_in", ())
        for language, half in product(self.plan.languages, HALVES):
            right = self._right(target, language, half)
            outcomes[target, language, half] = right
            value = math.nan if nan else 100 * float(right[:, 0].mean(dtype=np.float64))
            cell = Score(
                target=target,
                language=language,
                half=half,
                metric="accuracy",
                value=value,
                examples=len(right),
                seed=self.plan.seed,
            )
            rows.append(cell)
        return PartResult(
            scores=ScoreTable.of(rows),
            outcomes=outcomes,
            seconds={"evaluation": 0.0} | (spent if self._segments else {}),
            facts={"device": "recorded"},
            documents={cell: self._documents(right) for cell, right in outcomes.items()}
            if "per_document" in self.context
            else {},
        )

    def _documents(self, outcomes: Array) -> NDArray[np.int64]:
        return np.arange(len(outcomes), dtype=np.int64) // int(self.context["per_document"])

    def _right(self, target: str, language: str, half: Half) -> Array:
        """Return outcomes of shape (n, 2): whether each example is right, and ones."""
        n = self._surface.examples
        difficulty = np.random.default_rng(seed_from("examples", self._surface.world, target, half)).random(n)
        right = difficulty < self._surface.score(self.plan, target, language) / 100
        return np.stack([right.astype(np.float32), np.ones(n, np.float32)], axis=1)

    def _misbehave(self) -> None:
        if self.number in self.context.get("raise_in", ()):
            raise RuntimeError(f"planted failure in trial {self.number}")
        if self.number in self.context.get("full_in", ()):
            from tasksearch.core.errors import DiskFull

            raise DiskFull("no room left (planted)")
        if self.number in self.context.get("kill_always_in", ()):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.number in self.context.get("kill_in", ()) and _first_time(self.context["study_folder"], self.number):
            os.kill(os.getpid(), signal.SIGKILL)


def _first_time(folder: str, number: int) -> bool:
    """Return whether this is the first call for that trial, over all processes."""
    try:
        os.close(os.open(os.path.join(folder, f"killed.{number}"), os.O_CREAT | os.O_EXCL))  # noqa: PTH118
    except FileExistsError:
        return False
    return True


def surface_of(context: dict[str, Any]) -> Surface:
    """Return the surface that a context defines.

    Raises:
        BadInput: an entry that is not a field of `Surface`.
    """
    try:
        return Surface(**context.get("surface", {}))
    except TypeError as error:
        raise BadInput(f"recorded surface: {error}") from None
