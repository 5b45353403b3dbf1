"""`run_trials`: the loop of a study, from what its ledger holds to a ledger that lacks nothing."""

from __future__ import annotations

import logging
import shutil
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from joblib import cpu_count
from ray import tune

from tasksearch.core.code_identity import code_hash
from tasksearch.core.errors import BadInput, Interrupted, Paused, StudyNotReady, UnknownName, Unreachable
from tasksearch.core.own_files import MODULE
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import StudyConfig
from tasksearch.engine.events import Event, Notice
from tasksearch.engine.limits import Limits, Meter
from tasksearch.engine.optuna_database import OptunaDatabase
from tasksearch.engine.outbox import Patience
from tasksearch.engine.segment_scheduling import SegmentScheduling
from tasksearch.engine.session import Session, open_session
from tasksearch.engine.tracker_writer import TrackerWriter
from tasksearch.engine.trial_manager import TrialManager
from tasksearch.engine.utilization import SlotClock, Utilization
from tasksearch.raytune.cluster import cluster, counted
from tasksearch.raytune.local_cluster import GOES_ON, ray_is_gone
from tasksearch.raytune.nodes import preflight
from tasksearch.raytune.provenance import check_trained_by
from tasksearch.raytune.ray_logs import ray_logs_kept
from tasksearch.raytune.searcher import Halt, StudyCallback, StudySearcher, scheduler_of
from tasksearch.raytune.segment_scheduler import SegmentScheduler
from tasksearch.records.ledger import Ledger
from tasksearch.tracking.port import Tracker

_LOG = logging.getLogger(__name__)
_AHEAD = 2
"""Trials per slot that may wait beside it: enough for a free slot to find one whose next segment no other trial is training."""


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """What one call of `run_trials` did.

    Attributes:
        done, stopped, failed: number of the study's trials in that state, over all calls, without the untrained reference.
        ran: number of trials that finished in this call.
        first_step_seconds: from the call to the first report of a trial, when Ray has started and training begins; None if
            nothing ran.
        overhead_seconds: median over this call's trials of the time that Ray, Optuna and the tracker added; None if nothing
            ran.
        seconds: wall time of the call.
        slot_use: pauses, resumes and idle time of the slots in this call; None if nothing ran.
        counts: number of finished trials in the ledger, in Optuna and in MLflow, if the caller counted them.
    """

    done: int
    stopped: int
    failed: int
    ran: int
    first_step_seconds: float | None
    overhead_seconds: float | None
    seconds: float
    slot_use: Utilization | None = None
    counts: dict[str, int] | None = None


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
    resources: Mapping[str, float | None] | None = None,
    concurrency: int | None = None,
    address: str | None = None,
    tags: Mapping[str, str] | None = None,
    optuna_storage: OptunaDatabase | None = None,
    limits: Limits | None = None,
    on_event: Callable[[Event], None] | None = None,
    patience: Patience | None = None,
    accept_versions: bool = False,
) -> RunSummary:
    """Run the trials that the study still lacks; return at once if it lacks none.

    Args:
        ledger: the study's folder; locked for the duration of the call.
        config: the study's configuration.
        trainable: subclass of `trainables.base.PlanTrainable`.
        context: plain values for the trainable; `study_folder`, `code` and `accept_versions` are added.
        sizes: intermediate task → number of training examples.
        groups: target → group name, for the objective.
        plan_of: (schedule, seed) → plan.
        tracker: opened here and written by one thread; the caller must close it.
        resources: of one trial, such as `{"cpu": 1, "gpu": 0.5}`; a GPU of None means one if the cluster has any.
        concurrency: number of concurrent trials; None: as many as fit, on this machine at most the number of cores that this
            process may use by its CPU affinity and its container's quota. Never more than the study's lag, since proposals
            wait for results.
        address: of a running Ray cluster; None: start a local one that ends with the call.
        tags: tags of the tracker's study: versions, fingerprints, warnings.
        optuna_storage: relational database of the Optuna study; None: a journal file in the study's folder.
        limits: of this call; None: none.
        on_event: called with each event of `engine.events`, in the driver's thread; only the `Notice` that Ray is still
            starting comes from another thread.
        patience: how long to wait for a tracking server or a database that does not answer; None: ten minutes beyond the
            study's end.
        accept_versions: continue with trials and segments that other code trained.

    Raises:
        StudyBusy: another driver uses the folder.
        Unreachable: the cluster, the tracking server or the Optuna database does not answer, or Ray ended during the run.
        VersionsDiffer: other code trained some of the study's trials or segments, or runs in a worker.
        BadInput: more GPUs or CPUs than there are, too few trials for the baseline, or nodes of the cluster that lack data,
            model, store or packages.
        UnknownName: an unknown sampler, or a target or language of the objective that the study does not have.
        StudyNotReady: the baseline failed, so that no trial can be judged.
        DiskFull: in the driver or in a worker.
        Interrupted: by SIGINT, SIGTERM or SIGHUP; finished trials are kept.
        Paused: by SIGUSR1 or because a limit was reached; finished trials are kept, and the study is meant to be resumed.
    """
    started = time.perf_counter()
    _check(config)
    clock, slot_use = _FirstReport(started), None
    with open_session(
        ledger,
        config,
        sizes=sizes,
        groups=groups,
        plan_of=plan_of,
        tracker=tracker,
        tags=tags,
        optuna_storage=optuna_storage,
        on_event=on_event,
        patience=patience,
    ) as session:
        manager, writer = session.manager, session.writer
        if not manager.complete:
            asked = dict(resources or {"cpu": 1.0})
            if not accept_versions:
                check_trained_by(ledger.folder, manager.records)
            slots = min(concurrency or int(cpu_count()), config.lag)

            def say(text: str) -> None:
                manager.tell(Notice(text=text))

            with (
                _interruptible(),
                cluster(address, slots, asked, say) as fitting,
                ray_logs_kept(ledger.folder, lambda: session.fault is not None or manager.losses > 0),
                _signals(manager) as renew,
            ):
                needs = counted(asked)
                if limits is not None and limits.gpu_seconds is not None and not needs.get("gpu"):
                    raise BadInput("a limit of GPU-hours, and no GPU in the cluster; trials without a GPU spend none")
                writer.wait_until_open()
                slots = min(fitting, config.lag, concurrency or fitting)
                if (idle := _without_work(config.lag, asked, concurrency, fitting if address else None)) is not None:
                    say(idle)
                meter = Meter(limits or Limits(), needs.get("gpu", 0.0))
                _LOG.info("%d slots, each with %s; context %s", slots, needs, sorted(context))
                scheduling, slot_clock = SegmentScheduling(slots, _AHEAD * slots), SlotClock(slots)
                halted = lambda: _over(session, meter, scheduling, renew) or session.fault is not None  # noqa: E731
                where = {**context, "study_folder": str(ledger.folder), "code": code_hash(), "accept_versions": accept_versions}
                where |= {"gpu_share": needs["gpu"]} if 0 < needs.get("gpu", 0.0) < 1 else {}
                found = preflight(where, needs)
                if address is not None or "gpu_share" in where:
                    say(found)
                _tune(manager, trainable, where, scheduling, slot_clock, needs=needs, halted=halted, clock=clock)
                slot_use = slot_clock.use(scheduling.pauses, scheduling.resumes)
                _LOG.info("Ray's loop has ended: %s", slot_use)
    session.finish()
    _raise_what_ended(manager)
    return _summary(manager, writer, clock, slot_use, time.perf_counter() - started)


def _without_work(lag: int, asked: Mapping[str, Any], concurrency: int | None, fitting: int | None) -> str | None:
    """Say that more trials could run than the study's lag feeds; None where it feeds all.

    Args:
        asked: resources of a trial.
        fitting: trials that a cluster has room for; None: of this machine.
    """
    room = concurrency or fitting or int(cpu_count() / (asked.get("cpu") or 1.0))
    if room <= lag:
        return None
    return (
        f"{room} trials could run at once, and lag {lag} feeds {lag}: a study's lag is fixed when it is made; a new study with "
        f"--lag {2 * room} keeps all of them busy"
    )


def _over(session: Session, meter: Meter, scheduling: SegmentScheduling, renew: Callable[[], None]) -> bool:
    renew()
    session.tell_news()
    manager = session.manager
    if gone := ray_is_gone():
        manager.fault = manager.fault or Unreachable(f"{gone}; {GOES_ON}")
    reached = meter.reached(scheduling.running)
    if reached and manager.paused is None:
        _LOG.info("no further trial is begun: %s", reached)
    if reached:  # do not reset it to None: a signal may have set it
        manager.paused = reached
    return manager.halted


class _FirstReport:
    """Measures the seconds from the call to the first report of a trial, after which its first part begins."""

    def __init__(self, started: float) -> None:
        self._started = started
        self.seconds: float | None = None

    def __call__(self) -> None:
        if self.seconds is None:
            self.seconds = time.perf_counter() - self._started


def _check(config: StudyConfig) -> None:
    try:
        hash(config.space)
    except TypeError:
        raise BadInput(f"space {config.space.name!r} holds a list; expected tuples, as in schedules=('joint',)") from None
    if config.trials < config.baseline_seeds:
        raise BadInput(
            f"{config.trials} trials; expected at least {config.baseline_seeds}, the baseline's seeds, which come first"
        )
    for kind, asked, known in (
        ("target", [target for target, _ in config.objective.targets], config.targets),
        ("language", config.objective.languages, config.languages),
    ):
        for name in asked:
            if name not in known:
                raise UnknownName(f"{kind} for the objective among the study's", name, known)


def _tune(
    manager: TrialManager,
    trainable: type,
    context: Mapping[str, Any],
    scheduling: SegmentScheduling,
    slot_clock: SlotClock,
    *,
    needs: Mapping[str, float],
    halted: Callable[[], bool],
    clock: _FirstReport,
) -> None:
    """Run Ray's loop. Ray's own files lie in the study's folder meanwhile and are deleted afterwards."""
    folder = Path(context["study_folder"]) / "ray"
    _send_by_value(trainable)
    inner = scheduler_of(manager.config.scheduler, manager, len(manager.config.targets))
    shutil.rmtree(folder, ignore_errors=True)
    try:
        tune.run(
            trainable,
            name="run",
            storage_path=str(folder),
            search_alg=StudySearcher(manager, context, scheduling.room),
            scheduler=SegmentScheduler(manager, scheduling, slot_clock, inner),
            stop=Halt(halted),
            callbacks=[StudyCallback(manager, clock)],
            num_samples=-1,
            max_concurrent_trials=scheduling.slots + scheduling.ahead,  # Ray counts paused trials too; `room` is stricter
            resources_per_trial=dict(needs),
            max_failures=0,  # the trial manager retries: see StudyCallback.on_trial_error
            raise_on_failed_trial=False,
            # a reused process keeps its CUDA caches, so on a GPU every trial gets a new process
            reuse_actors=not needs.get("gpu"),
            trial_dirname_creator=lambda trial: str(trial.trial_id),
            verbose=0,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _send_by_value(trainable: type) -> None:
    """Send a class from a user's file to the workers by value, since they cannot import the module that defines it."""
    if trainable.__module__.startswith(MODULE):
        ray.cloudpickle.register_pickle_by_value(sys.modules[trainable.__module__])


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn a Ctrl-C during Ray's start or end into `Interrupted`."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("interrupted; what is finished is kept, `tasksearch resume` goes on from there") from None


@contextmanager
def _signals(manager: TrialManager) -> Iterator[Callable[[], None]]:
    """Handle signals: SIGINT, SIGTERM and SIGHUP end the run in good order, a second one at once; SIGUSR1 pauses it.

    Batch systems send SIGUSR1. A signal that is ignored, as SIGHUP is under nohup, stays ignored. Yields a function that sets
    the handler of SIGUSR1 again: Tune replaces it when it starts, and would then end the run without giving a reason.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    heard = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
    before = {number: now for number in heard if (now := signal.getsignal(number)) is not signal.SIG_IGN}

    def stop(number: int, frame: Any) -> None:
        if number == signal.SIGUSR1:
            manager.paused = manager.paused or "SIGUSR1 came"
            return
        manager.interrupted = True
        for each in before.keys() - {signal.SIGUSR1}:
            signal.signal(each, signal.default_int_handler)

    def renew() -> None:
        signal.signal(signal.SIGUSR1, stop)

    for number in before:
        signal.signal(number, stop)
    try:
        yield renew
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise_what_ended(manager: TrialManager) -> None:
    left = sum(record.status == "running" for record in manager.records)
    why = manager.paused or ("interrupted" if manager.interrupted else "nothing is left to run")
    _LOG.info("the run ends: %s; %d trials finished in it, %d of the study are not finished", why, manager.ran, left)
    if manager.paused and not manager.complete:
        raise Paused(f"{manager.paused}; {len(manager.records) - left} trials are kept, `tasksearch resume` goes on from there")
    if manager.interrupted and not manager.complete:
        raise Interrupted(f"interrupted; {len(manager.records) - left} trials are kept, `tasksearch resume` goes on from there")
    if not manager.complete:
        raise StudyNotReady(f"Ray ended with {left} trials unfinished; `tasksearch resume` goes on from there")


def _summary(
    manager: TrialManager, writer: TrackerWriter, clock: _FirstReport, slot_use: Utilization | None, seconds: float
) -> RunSummary:
    count = Counter(record.status for record in manager.records if record.role != "untrained")
    added = [own + writer.seconds.get(number, 0.0) for number, own in manager.added.items()]
    return RunSummary(
        done=count["done"],
        stopped=count["stopped"],
        failed=count["failed"],
        ran=manager.ran,
        first_step_seconds=clock.seconds,
        overhead_seconds=statistics.median(added) if added else None,
        seconds=seconds,
        slot_use=slot_use,
    )
