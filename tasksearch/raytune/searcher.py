"""The connection between Ray Tune and the trial manager: searcher, callback, scheduler and stopper.

An exception in any of them would end `tune.run` with Ray's own traceback. It is stored as the trial manager's fault instead,
and the stopper ends the run in good order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from ray.tune import Callback, Stopper
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from tasksearch.core.errors import last_line
from tasksearch.core.study import TrialRecord
from tasksearch.engine.events import TrialProgress
from tasksearch.engine.trial_manager import RETRIES, TrialManager

_T = TypeVar("_T")
_REDUCTION = 3
_LOG = logging.getLogger(__name__)


def guarded(manager: TrialManager, act: Callable[[], _T], otherwise: _T) -> _T:
    """Return the result of `act`. If it raises, store the exception as the trial manager's fault and return `otherwise`.

    The fault then makes the stopper end the run in good order.
    """
    try:
        return act()
    except Exception as error:  # the driver raises it again once Ray's loop has ended
        _LOG.error("the run ends: %s", error, exc_info=error)
        manager.fault = manager.fault or error
        return otherwise


class StudySearcher(Searcher):
    """Searcher that takes the next trial from the trial manager. It keeps no state: the ledger holds the study's state.

    Args:
        manager: the study's trial manager.
        context: plain values for the trainable.
        room: returns whether another trial should be started now.
    """

    def __init__(self, manager: TrialManager, context: Mapping[str, Any], room: Callable[[], bool]) -> None:
        super().__init__()
        self._manager, self._context, self._room = manager, dict(context), room

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return Ray's config of the next trial; None if there is none yet; `Searcher.FINISHED` if none is left."""
        if not self._room() and not self._manager.halted:
            return None
        finished: TrialRecord | Literal["finished"] | None = "finished"
        found = guarded(self._manager, self._manager.next, finished)
        if found is None:
            return None
        if isinstance(found, str):
            return str(Searcher.FINISHED)
        told = {"number": found.number, "role": found.role, "addition": found.addition}
        return told | {"plan": found.plan.to_json(), "context": self._context}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Do nothing: `StudyCallback` receives the results."""

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: there is no state to save."""

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing: there is no state to restore."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Do nothing: there is no state to save."""

    def get_state(self) -> dict[str, Any]:
        """Return an empty state."""
        return {}


class StudyCallback(Callback):
    """Passes the reports of trials to the trial manager."""

    def __init__(self, manager: TrialManager, on_first_report: Callable[[], None]) -> None:
        self._manager, self._on_first_report = manager, on_first_report

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any) -> None:
        """Pass on a report, possibly the last one."""
        self._on_first_report()
        guarded(self._manager, lambda: self._take(trial.config, result), None)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Report a lost worker to the trial manager, which decides whether to retry; Ray is configured not to.

        Ray 2.60's own retry fails for a worker that is lost while it is reset for its next trial: Ray then fails the trial
        twice, once for the worker and once for the reset, retries it for the first and gives it up for the second.
        """
        said = trial.get_error()
        cause = f"its worker was lost {RETRIES + 1} times; Ray says: {last_line(said) if said else 'nothing'}"
        number, addition = int(trial.config["number"]), int(trial.config.get("addition", 0))
        _LOG.warning("Ray on the loss of trial %d: %s", number, _told_by_ray(trial))
        guarded(self._manager, lambda: self._manager.lose(number, cause, addition), None)

    def _take(self, config: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        number = int(config["number"])
        if result.get("final") or "failed" in result:
            self._manager.finish(number, result, int(config.get("addition", 0)))
        elif "waiting_for" in result:
            place = {"position": int(result["position"]), "parts": int(result["parts"])}
            self._manager.move(TrialProgress(number=number, part=str(result["waiting_for"]), **place))


def _told_by_ray(trial: Any) -> str:
    """Return what Ray wrote about a trial's last error, at most 2,000 characters; Ray's file is deleted when the run ends."""
    try:
        return Path(trial.error_file).read_text(encoding="utf-8", errors="replace").strip()[-2000:]
    except (OSError, TypeError, AttributeError):
        return "nothing"


class StudyASHA(AsyncHyperBandScheduler):
    """ASHA with the number of scored targets as time and the objective so far as metric.

    It can stop only the search's own trials (roles design and search).
    """

    def __init__(self, manager: TrialManager, targets: int) -> None:
        self._manager = manager
        super().__init__(
            time_attr="scored",
            metric="so_far",
            mode="max",
            max_t=max(2, targets),
            grace_period=1,
            reduction_factor=_REDUCTION,
            stop_last_trials=False,
        )

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Return STOP or CONTINUE."""
        go_on = str(TrialScheduler.CONTINUE)
        if trial.config["role"] not in ("design", "search") or trial.config.get("addition") or result.get("final"):
            return go_on
        return guarded(self._manager, lambda: self._decide(tune_controller, trial, result), go_on)

    def _decide(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        so_far = self._manager.so_far(result)
        if so_far is None:
            return str(TrialScheduler.CONTINUE)
        decision = str(super().on_trial_result(tune_controller, trial, {**result, "so_far": so_far}))
        _LOG.debug("trial %s at %s targets: objective so far %+.3f, %s", result["number"], result["scored"], so_far, decision)
        if decision == TrialScheduler.STOP:
            self._manager.stop(int(trial.config["number"]), result)
        return decision


def scheduler_of(name: str, manager: TrialManager, targets: int) -> TrialScheduler:
    """Return the scheduler of that name, which must be one of `core.study.SCHEDULERS`; the configuration has checked that."""
    return StudyASHA(manager, targets) if name == "asha" else FIFOScheduler()


class Halt(Stopper):
    """Stopper that ends the run once `halted` returns True: the trial manager is halted, or the tracker or Optuna failed."""

    def __init__(self, halted: Callable[[], bool]) -> None:
        self._halted = halted

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Return False: no single trial is stopped."""
        return False

    def stop_all(self) -> bool:
        """Return whether the run must end. Ray calls this at every turn of its loop."""
        return self._halted()

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Ray pickles the stopper into a file that is never read
