"""The contract of every trainable, as a life cycle.

1. Ray creates an actor with a config of plain values: `number` and `role` of the trial, `plan` (`Plan.to_json()`), `addition`
(0, or the number of the addition to the trial that this is), and `context`, a plain dict made by the study; its `study_folder`
says where outcomes are written, and its other entries are the subclass's own.
2. The first `step()` calls `prepare()`, costs next to nothing and reports the position: `waiting_for` names the next part,
`missing` lists the segments that the trial will have to train, by signature, in order. A scheduler may pause the trial at this
point.
3. Every further `step()` runs one part (a segment, or a target with its evaluation) by `run_part(name)`.
4. With the last part the per-example outcomes are written to the study folder, and the report has `final`.
5. A worker whose code differs from the driver's (`code` in `context`, a hash) refuses its trial, and the run ends.
6. If a subclass raises, the trial ends with a report that has `failed`, a one-line cause and the traceback as text. Ray never
sees the exception: a trial that fails for Ray, and is run again, is one whose worker was killed.

A report never contains a score that is not finite: the trial fails instead.

A checkpoint holds the position and the results so far, but no weights: those are in the segment store. A paused trial begins
again at 2, in the same process or another.

If actors are reused, Ray calls `reset_config` instead of creating an actor; nothing of the former trial remains.
"""

from __future__ import annotations

import json
import logging
import math
import platform
import socket
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray.tune import Trainable
from safetensors.numpy import save

from tasksearch.core.atomic import write_atomic
from tasksearch.core.code_identity import code_hash, folder_of
from tasksearch.core.errors import TasksearchError, TrainingFailed, VersionsDiffer
from tasksearch.core.learning_curve import LearningCurve
from tasksearch.core.logs import log_to
from tasksearch.core.plan import Plan
from tasksearch.core.required_segments import RequiredSegment, to_text
from tasksearch.core.score import Score, ScoreTable
from tasksearch.records.ledger import Ledger
from tasksearch.records.outcomes import Cell, Outcomes, read_outcomes

_LOG = logging.getLogger(__name__)
_LONGEST_CAUSE = 400
_TOLERANCE = 1e-3  # points between a score and the ratio of its outcomes' sums, since outcomes are in single precision


@dataclass(frozen=True, kw_only=True)
class PartResult:
    """Results of one part.

    Attributes:
        scores: scores of the targets that the part scored, on selection and on reporting examples.
        seconds: wall seconds by kind of work (`intermediate`, `target`, `evaluation`, `reused` …); summed over parts.
        facts: versions, device, threads, fingerprints; a later part's value replaces an earlier one's.
        outcomes: per-example outcomes of the scored cells, arrays of shape (n, 2): numerator and denominator.
        documents: each example's document number, arrays of shape (n,) in the order of the outcomes; without cells whose
            documents the study folder already has or that are unknown.
    """

    scores: ScoreTable = field(default_factory=ScoreTable)
    seconds: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    outcomes: Outcomes = field(default_factory=dict)
    documents: Mapping[Cell, NDArray[np.int64]] = field(default_factory=dict)


class PlanTrainable(Trainable):
    """Trains one plan on one seed, part by part. Subclasses define the parts and run them."""

    number: int
    role: str
    plan: Plan
    context: dict[str, Any]
    _addition: int
    _announced: bool
    _position: int
    _busy: float

    def prepare(self) -> None:
        """Prepare a trial; called before `parts()`. Must be cheap: a scheduler may never let the trial continue."""

    def parts(self) -> tuple[str, ...]:
        """Return the names of the trial's parts, at least one, in running order; must be cheap and always the same."""
        raise NotImplementedError

    def run_part(self, name: str) -> PartResult:
        """Run one part to its end. After a resume, earlier parts may have run in another process.

        Raises:
            TrainingFailed: the plan cannot be trained; the trial fails, and the study continues.
        """
        raise NotImplementedError

    def missing(self, position: int) -> tuple[RequiredSegment, ...]:
        """Return the segments that this trial must train from part `position` on, in order; must be cheap.

        Segments that a store shares between trials are included as long as they are not in it. Without such a store the result
        is empty.
        """
        return ()

    def curves(self) -> Mapping[str, LearningCurve]:
        """Return part → learning curve, of the parts that have one; called once, after the last part."""
        return {}

    def setup(self, config: dict[str, Any]) -> None:
        """Begin a trial in a new actor; called by Ray."""
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin a trial in a reused actor; called by Ray."""
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Return the next report; called by Ray. Log messages meanwhile go to the trial's own file, `trials/0007.log`."""
        with log_to(Ledger(Path(self.context["study_folder"])).log_path(self.number, self._addition)):
            try:
                return self._next_report()
            except Exception as error:  # an error in one plan must not end the study
                _LOG.error("trial %d failed: %s", self.number, error, exc_info=error)
                return self._failure_report(error)

    def _next_report(self) -> dict[str, Any]:
        if not self._announced:
            _LOG.info(
                "trial %d (%s) on %s: %s, seed %d",
                self.number,
                self.role,
                socket.gethostname(),
                self.plan.schedule,
                self.plan.seed,
            )
            _check_code(self.context.get("code"))
            self.prepare()
            self._announced = True
            return self._position_report(self.parts()) | {"missing": to_text(self.missing(self._position))}
        parts = self.parts()
        name = parts[self._position]
        started = time.perf_counter()
        _LOG.info("trial %d begins %s (%d of %d)", self.number, name, self._position + 1, len(parts))
        result = self.run_part(name)
        self._busy += time.perf_counter() - started
        spent = ", ".join(f"{kind} {seconds:.1f} s" for kind, seconds in result.seconds.items())
        _LOG.info("trial %d is through with %s: %s", self.number, name, spent)
        self._absorb(result)
        self._position += 1
        if self._position < len(parts):
            return self._position_report(parts) | {"part": name} | (self._scores_report() if result.scores else {})
        return self._final_report(name)

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Save the position and the results so far."""
        folder = Path(checkpoint_dir)
        position = {"position": self._position, "busy": self._busy, "scores": self._scores.to_json()}
        write_atomic(
            folder / "position.json",
            json.dumps(position | {"seconds": self._seconds, "facts": self._facts}, allow_nan=False).encode(),
        )
        write_atomic(folder / "outcomes.safetensors", save({"/".join(cell): array for cell, array in self._outcomes.items()}))

    def load_checkpoint(self, checkpoint: str | dict[str, Any] | None) -> None:
        """Restore the position and the results so far."""
        assert isinstance(checkpoint, str), "checkpoints of this class are folders"
        data = json.loads((Path(checkpoint) / "position.json").read_text())
        self._position, self._busy = int(data["position"]), float(data["busy"])
        self._scores = ScoreTable.from_json(data["scores"])
        self._seconds, self._facts = dict(data["seconds"]), dict(data["facts"])
        self._outcomes = read_outcomes(Path(checkpoint) / "outcomes.safetensors")

    def _begin(self, config: dict[str, Any]) -> None:
        self.number, self.role = int(config["number"]), str(config["role"])
        self._addition = int(config.get("addition", 0))
        self.plan, self.context = Plan.from_json(config["plan"]), dict(config["context"])
        self._announced = False
        self._position, self._busy = 0, 0.0
        self._scores, self._outcomes = ScoreTable(), dict[Cell, NDArray[np.float32]]()
        self._seconds, self._facts = dict[str, float](), {"code": code_hash()}

    def _absorb(self, result: PartResult) -> None:
        for score in result.scores:
            _check(score, result.outcomes)
        if known := {cell: n for cell, n in result.documents.items() if len(n) == len(result.outcomes.get(cell, ()))}:
            Ledger(Path(self.context["study_folder"])).write_documents(known)
        self._scores = self._scores + result.scores
        self._outcomes.update({cell: np.asarray(array, dtype=np.float32) for cell, array in result.outcomes.items()})
        for name, value in result.seconds.items():
            self._seconds[name] = self._seconds.get(name, 0.0) + float(value)
        self._facts.update(result.facts)

    def _position_report(self, parts: tuple[str, ...]) -> dict[str, Any]:
        return {"number": self.number, "waiting_for": parts[self._position], "position": self._position, "parts": len(parts)}

    def _scores_report(self) -> dict[str, Any]:
        """Return the scores so far, as JSON text since Ray flattens nested results; ASHA uses `scored` as its time."""
        return {"scores": json.dumps(self._scores.to_json(), allow_nan=False), "scored": len(self._scores.targets)}

    def _final_report(self, name: str) -> dict[str, Any]:
        Ledger(Path(self.context["study_folder"])).write_outcomes(self.number, self._outcomes, self._addition)
        if curves := self.curves():
            Ledger(Path(self.context["study_folder"])).write_curves(self.number, curves, self._addition)
        report = {"number": self.number, "part": name, "position": self._position, "parts": self._position}
        texts = {"seconds": json.dumps(self._seconds), "facts": json.dumps(self._facts)}
        return report | self._scores_report() | texts | {"busy_seconds": self._busy, "final": True, "done": True}

    def _failure_report(self, error: Exception) -> dict[str, Any]:
        kind = type(error).__name__
        text = " ".join(str(error).split()) or "no message"
        cause = text if isinstance(error, TasksearchError) else f"{kind}: {text}"
        report = {
            "number": self.number,
            "failed": cause[:_LONGEST_CAUSE],
            "kind": kind,
            "busy_seconds": self._busy,
            "done": True,
        }
        return report | {"traceback": traceback.format_exc(), "facts": json.dumps(self._facts)}


def _check_code(drivers: str | None) -> None:
    """Raise VersionsDiffer if this worker does not run the driver's code."""
    if drivers is not None and drivers != code_hash():
        raise VersionsDiffer(
            f"a worker on {platform.node()} runs other code than the driver ({code_hash()} from {folder_of('tasksearch')}; the "
            f"driver's is {drivers}); install the same on every node"
        )


def _check(score: Score, outcomes: Outcomes) -> None:
    """Check that a score is finite and follows from its examples' outcomes.

    Raises:
        TrainingFailed: it is not finite.
        ValueError: it is not the ratio of its outcomes' sums, or has no outcomes: a bug in the trainable.
    """
    cell: Cell = (score.target, score.language, score.half)
    where = "/".join(cell)
    if not math.isfinite(score.value):
        raise TrainingFailed(f"the score of {where} is {score.value}; expected a finite number")
    if cell not in outcomes:
        raise ValueError(f"{where} has a score and no per-example outcomes")
    numerator, denominator = np.asarray(outcomes[cell], dtype=np.float64).sum(axis=0)
    if abs(score.value - 100 * numerator / denominator) > _TOLERANCE:
        raise ValueError(f"{where} scores {score.value}, its outcomes say {100 * numerator / denominator}")
