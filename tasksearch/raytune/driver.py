"""`run_trials`: the loop of a study, from its ledger to its ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import StudyConfig
from tasksearch.search.ledger import Ledger
from tasksearch.tracking.port import Tracker


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """What one call of `run_trials` did.

    Attributes:
        done, stopped, failed: trials of the study in that state, over all calls.
        ran: trials that this call finished.
        first_step_seconds: from the call to the end of Ray's start-up, when the first part begins; None where nothing ran.
        overhead_seconds: median over this call's trials of what Ray, Optuna and the tracker added; None where nothing ran.
        seconds: wall time of the call.
    """

    done: int
    stopped: int
    failed: int
    ran: int
    first_step_seconds: float | None
    overhead_seconds: float | None
    seconds: float


def run_trials(
    ledger: Ledger,
    config: StudyConfig,
    trainable: type,
    context: Mapping[str, Any],
    *,
    sizes: Mapping[str, int],
    groups: Mapping[str, str],
    plan_of: Callable[[Schedule, int], Plan],
    tracker: Tracker,
    resources: Mapping[str, float] | None = None,
    concurrency: int | None = None,
    address: str | None = None,
    tags: Mapping[str, str] | None = None,
    on_event: Callable[[Any], None] | None = None,
) -> RunSummary:
    """Runs what the study still lacks; a study that lacks nothing returns at once.

    Args:
        ledger: the study's folder; locked for as long as the call lasts.
        config: what was asked for.
        trainable: a `trainables.base.PlanTrainable`.
        context: plain entries for the trainable; `study_folder` is added.
        sizes: intermediate task → number of training examples.
        groups: target → group name, for the objective.
        plan_of: (schedule, seed) → plan.
        tracker: opened here, written by one thread; closing it is the caller's.
        tags: what the tracker's study is opened with: versions, fingerprints, warnings.
        resources: of one trial, `{"cpu": 1, "gpu": 0.5}`.
        concurrency: trials at once; None: as many as the CPUs allow.
        address: of a running Ray cluster; None: a local one that ends with the call.
        on_event: called with an event of `raytune.events`, in the driver's thread.

    Raises:
        StudyBusy: another driver owns the folder.
        Unreachable: the cluster or the tracking server does not answer.
        BadInput: more GPUs or CPUs than there are, or too few trials for the baseline.
        StudyNotReady: the baseline failed, so that no trial can be judged.
        DiskFull: in the driver or in a worker.
        Interrupted: SIGINT or SIGTERM; what is finished is kept.
    """
    raise NotImplementedError
