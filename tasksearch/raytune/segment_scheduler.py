"""`SegmentScheduler`: tells Ray Tune what `SegmentScheduling` decides, so that trials share segments.

Tune starts every pending trial whatever a scheduler returns, and lets a scheduler choose among paused trials only. So a
trial's first report costs nothing and states the segments it needs. If another trial is training one of them, the trial is
paused at that point, and the searcher returns no further trial while `SegmentScheduling` has no room for it.
"""

from __future__ import annotations

import logging
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import TrialScheduler

from tasksearch.core.required_segments import from_text
from tasksearch.engine.segment_scheduling import SegmentScheduling
from tasksearch.engine.trial_manager import TrialManager
from tasksearch.engine.utilization import SlotClock
from tasksearch.raytune.searcher import guarded

_LOG = logging.getLogger(__name__)


class SegmentScheduler(TrialScheduler):
    """Scheduler that never lets two trials train one segment; it wraps another scheduler (ASHA or FIFO), which stops trials."""

    def __init__(self, manager: TrialManager, scheduling: SegmentScheduling, clock: SlotClock, inner: TrialScheduler) -> None:
        super().__init__()
        self._manager, self._scheduling, self._clock, self._inner = manager, scheduling, clock, inner
        self._trials: dict[str, Any] = {}

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Register a new trial, or one that runs again because its worker was lost."""
        self._trials[trial.trial_id] = trial
        self._scheduling.enter(trial.trial_id)
        self._inner.on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Return CONTINUE, PAUSE or STOP.

        Before its first part a trial has nothing to checkpoint, so it is paused here without one, and NOOP is returned.
        """
        decision = str(self._inner.on_trial_result(tune_controller, trial, result))
        if decision != TrialScheduler.CONTINUE:
            self._end(trial, result)
            return decision
        self._clock.report(trial.trial_id)
        if guarded(self._manager, lambda: self._may_go_on(trial, result), True):
            self._clock.go(trial.trial_id)
            return decision
        self._clock.pause(trial.trial_id)
        self._log_pause(trial)
        if int(result.get("position", 0)) > 0:
            return str(TrialScheduler.PAUSE)
        tune_controller.pause_trial(trial, should_checkpoint=False)
        return str(TrialScheduler.NOOP)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Release a trial's segments after its last report, or when the run ends."""
        self._end(trial, result)
        self._inner.on_trial_complete(tune_controller, trial, result)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """Release the segments of a trial that was given up while it was not running."""
        self._end(trial, {})
        self._inner.on_trial_remove(tune_controller, trial)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """Release the segments of a trial whose worker was lost."""
        self._end(trial, {})
        self._inner.on_trial_error(tune_controller, trial)

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """Return the paused trial that gets a free slot; None if none does."""
        paused = {name for name in self._scheduling.waiting if self._trials[name].status == Trial.PAUSED}
        name = guarded(self._manager, lambda: self._scheduling.next(paused.__contains__), None)
        if name is None:
            return None
        trial = self._trials[name]
        self._manager.wait(int(trial.config["number"]), self._clock.resume(name))
        return trial

    def debug_string(self) -> str:
        """Return text for Ray's status tables, which are turned off."""
        return f"{self._scheduling.pauses} pauses, {self._scheduling.resumes} resumes"

    def _may_go_on(self, trial: Any, result: dict[str, Any]) -> bool:
        if "missing" in result:
            return self._scheduling.arrive(trial.trial_id, from_text(result["missing"]))
        return self._scheduling.passed(trial.trial_id, int(result["position"]))

    def _log_pause(self, trial: Any) -> None:
        for signature, owner in self._scheduling.blockers(trial.trial_id).items():
            numbers = int(trial.config["number"]), int(self._trials[owner].config["number"])
            _LOG.info("trial %d gives its slot up: segment %s is trained by trial %d", numbers[0], signature, numbers[1])

    def _end(self, trial: Any, result: dict[str, Any]) -> None:
        self._clock.report(trial.trial_id)
        self._scheduling.leave(trial.trial_id, int(result.get("position", 0)))
