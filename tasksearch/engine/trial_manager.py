"""`TrialManager`: decides which trial is next, and processes the results of finished ones. Does not import Ray.

A finished trial is recorded in the ledger exactly once, gets its objective as soon as the baseline is complete, and is then
passed to Optuna and the tracker in the order of trial numbers. All of this follows from the ledger: whatever a crash cut off
is done when the trial manager is opened again. All calls must come from one thread.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import BadInput, DiskFull, StoreUnusable, StudyNotReady, VersionsDiffer
from tasksearch.core.score import ScoreTable
from tasksearch.core.study import BASELINES, StudyConfig, TrialRecord
from tasksearch.engine.additions import Additions
from tasksearch.engine.completion import has_ended
from tasksearch.engine.events import Event, TrialFinished, TrialJudged, TrialProgress, TrialStarted
from tasksearch.engine.optuna_writer import OptunaWriter
from tasksearch.engine.start_order import StartOrder
from tasksearch.phases.unfolding import static_segments
from tasksearch.records.additions import asked
from tasksearch.records.holes import refuse_holes
from tasksearch.records.ledger import Ledger
from tasksearch.search.objective import MIN_BASELINE_SEEDS, Baseline, objective, objective_so_far
from tasksearch.search.proposals import Finished, PlanOf, Proposal, Wait, propose

_LOG = logging.getLogger(__name__)

RETRIES = 3
"""How often a trial is trained again after its worker was killed, ran out of memory, or was lost with its node."""

LOOK_AHEAD = 32
"""Maximum number of trials proposed before they can start. With a sampler that learns from results, the lag allows fewer."""


class TrialManager:
    """The state of a study while a driver runs it.

    Attributes:
        config: the study's configuration.
        records: records of all trials so far, by number, without their later additions.
        additions: additions to finished trials that an extended study still lacks.
        ran: number of trials that finished in this run.
        added: trial number → seconds between its start and end that were spent neither in its parts nor waiting.
        fault: the exception that ends the run; set by the code that meets it.
        interrupted: whether the user asked for the run to end.
        paused: why the run is to end although the user did not ask: a limit, or a signal of the batch system.
    """

    def __init__(
        self,
        ledger: Ledger,
        config: StudyConfig,
        mirror: OptunaWriter,
        *,
        sizes: Mapping[str, int],
        groups: Mapping[str, str],
        plan_of: PlanOf,
        write: Callable[[TrialRecord], None],
        on_event: Callable[[Event], None],
    ) -> None:
        self._ledger, self.config, self._mirror = ledger, config, mirror
        self._sizes, self._groups, self._plan_of = sizes, groups, plan_of
        self._write, self._on_event = write, on_event
        self._baselines: dict[str, Baseline] = {}
        self._published: set[int] = set()
        self._parked: dict[int, TrialRecord] = {}
        self._lost: list[int] = []
        self.records: list[TrialRecord] = []
        self.ran = 0
        self.added: dict[int, float] = {}
        self._waited: dict[int, float] = {}
        self._losses: Counter[tuple[int, int]] = Counter()
        self._start_order = StartOrder()
        self._stage: Proposal | Wait | Finished | None = None
        self._ended_at: dict[tuple[int, int], bool] = {}
        self.fault: Exception | None = None
        self.interrupted = False
        self.paused: str | None = None
        self._open()

    @property
    def halted(self) -> bool:
        """Whether no trial is to be started or waited for any more."""
        return self.fault is not None or self.interrupted or self.paused is not None

    @property
    def complete(self) -> bool:
        """Whether the study lacks nothing."""
        return not self._again and not self._running and (self._ended() or self._proposed(Finished))

    @property
    def losses(self) -> int:
        """Number of workers that were lost in this run."""
        return self._losses.total()

    @property
    def _running(self) -> bool:
        """Whether a trial, or an addition to one, is recorded as running or waits to start."""
        return bool(self.additions.open) or any(record.status == "running" for record in self.records)

    def next(self) -> TrialRecord | Literal["finished"] | None:
        """Return the next trial to run, recorded as running; None if none can be started yet; "finished" if none is left.

        A halted run is "finished" at once. Otherwise "finished" is returned only when no trial is running, since any of them
        may lose its worker and have to run again.
        """
        if self.halted:
            return "finished"
        addition = self.additions.next()
        if addition is not None:
            _LOG.info("addition %d to trial %d started", addition.addition, addition.number)
            self.tell(TrialStarted(record=addition, again=False))
            return addition
        self._look_ahead()
        if not self._again:
            return None if self._running or not isinstance(self._stage, Finished) else "finished"
        goes_on = isinstance(self._stage, Proposal) or (isinstance(self._stage, Wait) and self._stage.search_goes_on)
        number = self._start_order.choose(self._again, search_goes_on=goes_on)
        self._again.remove(number)
        record = self.records[number]
        self._record(dataclasses.replace(record, started=time.time()))
        self._start_order.begin(number)
        _LOG.info("trial %d (%s) started%s: %s", number, record.role, " again" if record.started else "", record.plan.schedule)
        self.tell(TrialStarted(record=self.records[number], again=record.started > 0))
        return self.records[number]

    def _look_ahead(self) -> None:
        """Propose the trials that can be proposed now, in the order of numbers; record each as running and queue it."""
        while not (isinstance(self._stage, Finished) and self._running):
            n = len(self.records)
            if not (isinstance(self._stage, Proposal) and self._stage.number == n):
                ended, before = self._ended(), self._stage
                self._stage = Finished() if ended else self._propose(n)
                if self._stage != before:  # this runs at every turn of Ray's loop: log changes only
                    _log_stage(n, self._stage)
            if not isinstance(self._stage, Proposal) or len(self._again) >= LOOK_AHEAD:
                return
            self._know(self._stage)

    def _know(self, found: Proposal) -> None:
        if found.number in self._lost:
            self._mirror.check(found.number, found.plan)
        record = TrialRecord(number=found.number, role=found.role, status="running", plan=found.plan, params=found.params)
        _LOG.info("trial %d (%s) proposed: %s, seed %d", record.number, record.role, record.plan.schedule, record.plan.seed)
        self._record(record)
        self._mirror.add(record)
        self._start_order.know(record.number, static_segments(record.plan), early=record.role in BASELINES)
        self._again.append(record.number)
        self._unpark()

    def finish(self, number: int, result: Mapping[str, Any], addition: int = 0) -> None:
        """Record the last report, final or failed, of a trial or of an addition to it. Later reports of it are ignored."""
        ends_the_run = {kind.__name__: kind for kind in (DiskFull, StoreUnusable, VersionsDiffer)}
        if (kind := ends_the_run.get(str(result.get("kind")))) is not None:
            self.fault = kind(str(result["failed"]))
            _LOG.error("trial %d ends the run: %s", number, self.fault)
            return
        if addition:
            self._grew(self.additions.finish(number, addition, result))
            return
        record = self.records[number]
        if record.status != "running":
            return
        facts = tuple(sorted(json.loads(result.get("facts", "{}")).items()))
        spent = float(result.get("busy_seconds", 0.0)) + self._waited.pop(number, 0.0)
        self.added[number] = max(0.0, time.time() - record.started - spent)
        if "failed" in result:
            self._keep_traceback(number, str(result.get("traceback", "")))
            _LOG.error("trial %d failed: %s; its traceback is in %s", number, result["failed"], self._traceback_path(number))
            self._settle(dataclasses.replace(record, status="failed", cause=str(result["failed"]), facts=facts))
            return
        seconds = {**json.loads(result["seconds"]), "overhead": self.added[number]}
        scores = ScoreTable.from_json(json.loads(result["scores"]))
        parts = tuple(sorted(seconds.items()))
        self._settle(dataclasses.replace(record, status="done", scores=scores, seconds=parts, facts=facts))

    def stop(self, number: int, result: Mapping[str, Any]) -> None:
        """Record a trial that a scheduler stopped early, with its scores so far and without an objective."""
        record = self.records[number]
        if record.status == "running":
            scores = ScoreTable.from_json(json.loads(result["scores"]))
            _LOG.info("trial %d stopped early by the scheduler after %s targets", number, result.get("scored"))
            self._settle(dataclasses.replace(record, status="stopped", scores=scores))

    def move(self, progress: TrialProgress) -> None:
        """Note that a trial has finished some of its parts."""
        _LOG.debug("trial %d has %d of %d parts, next is %s", progress.number, progress.position, progress.parts, progress.part)
        self._start_order.passed(progress.number, progress.position)
        self.tell(progress)

    def wait(self, number: int, seconds: float) -> None:
        """Note that a trial waited for `seconds` while another trial trained a segment that both need."""
        _LOG.info("trial %d goes on after %.0f s of waiting for another trial's segment", number, seconds)
        self._waited[number] = self._waited.get(number, 0.0) + seconds

    def lose(self, number: int, cause: str, addition: int = 0) -> None:
        """Handle the loss of a trial's worker: queue the trial again under its number, or fail it after `RETRIES` retries."""
        if self.halted:
            return
        self._losses[number, addition] += 1
        again = self._losses[number, addition] <= RETRIES
        then = "it is trained again" if again else "it is given up"
        _LOG.warning(
            "trial %d lost its worker, loss %d of at most %d: %s", number, self._losses[number, addition], RETRIES, then
        )
        if addition:
            self._grew(self.additions.lose(number, addition, None if again else cause))
            return
        record = self.records[number]
        if record.status != "running" or number in self._again:
            return
        self._waited.pop(number, None)
        if again:
            self._start_order.end(number, whole=False)
            self._again.append(number)
        else:
            self._settle(dataclasses.replace(record, status="failed", cause=cause))

    def so_far(self, result: Mapping[str, Any]) -> float | None:
        """Return the objective over the scores in a report of a trial of the search.

        None if it has no scores or the baseline is incomplete.
        """
        baseline = self._baselines.get(self.config.search_baseline)
        if baseline is None or "scores" not in result:
            return None
        scores = ScoreTable.from_json(json.loads(result["scores"]))
        return objective_so_far(scores, baseline, self._groups, self.config.objective)

    def _grew(self, addition: TrialRecord | None) -> None:
        if addition is not None:
            self.ran += 1
            _LOG.info(
                "addition %d to trial %d is %s %s", addition.addition, addition.number, addition.status, addition.cause or ""
            )
            self.tell(TrialFinished(record=addition))
            if addition.status == "done":
                self._write(self.additions.shown(self.records[addition.number]))

    def tell(self, event: Event) -> None:
        """Send an event to the display of progress."""
        self._on_event(event)

    def _open(self) -> None:
        try:
            self.records = self._written()
        except BadInput:
            _LOG.warning("records in %s are damaged; they are put aside and their trials trained again", self._ledger.folder)
            self._ledger.mend()
            self.records = self._written()
        self.additions = Additions(self._ledger, self.config)
        self._lost = self._ledger.put_aside()
        self._park_beyond(self._lost)
        for role in BASELINES:
            if self._baseline_is_lost(role):  # the cause of the failures may have been removed since
                self._run_again([r for r in self._baseline_records(role) if r.status == "failed"])
        self._run_again([r for r in self.records if r.status == "done" and self._ledger.outcomes_are_damaged(r.number)])
        for record in self.records:
            self._mirror.add(record)
            self._take_up(record)
        self._again = [record.number for record in self.records if record.status == "running"]
        states = ", ".join(f"{n} {status}" for status, n in sorted(Counter(r.status for r in self.records).items()))
        _LOG.info(
            "study %r opened: trials %s; additions to make %d; damaged records of trials %s",
            self.config.name, states or "none yet", self.additions.open, self._lost or "none",
        )  # fmt: skip
        self._judge()

    def _written(self) -> list[TrialRecord]:
        self._ledger.additions()  # read now, so that damaged ones are repaired together with the records
        written = self._ledger.written()
        return asked(written, self.config) if self._ledger.history() else written

    def _park_beyond(self, lost: list[int]) -> None:
        """Set aside the records that follow the first missing one, until that trial is proposed again.

        A trial whose record is damaged is proposed anew from the trials before it, as it was the first time.

        Raises:
            StudyNotReady: a record is missing that was not damaged.
        """
        there = {record.number: record for record in self.records}
        gone = set(range(max(there, default=-1))) - there.keys() - set(lost)
        if gone:
            refuse_holes(self._ledger, there.keys())
        first = next(number for number in itertools.count() if number not in there)
        self._parked = {number: record for number, record in there.items() if number > first}
        self.records = self.records[:first]

    def _run_again(self, records: list[TrialRecord]) -> None:
        for record in records:
            _LOG.warning("trial %d is trained again: it failed, or its outcomes are damaged", record.number)
            self._record(
                dataclasses.replace(record, status="running", cause=None, ended=None, objective=None, scores=ScoreTable())
            )

    def _take_up(self, record: TrialRecord) -> None:
        self._start_order.know(record.number, static_segments(record.plan), early=record.role in BASELINES)
        self._start_order.end(record.number, whole=record.status == "done")

    def _unpark(self) -> None:
        """Take up the records that were set aside until the trial before them was proposed again."""
        while (record := self._parked.pop(len(self.records), None)) is not None:
            self.records.append(record)
            self._mirror.add(record)
            self._take_up(record)
            if record.status == "running":
                self._again.append(record.number)
            elif record.status == "done" and self._ledger.outcomes_are_damaged(record.number):
                self._run_again([record])
                self._again.append(record.number)

    def _settle(self, record: TrialRecord) -> None:
        record = self._judged(dataclasses.replace(record, ended=time.time()))
        self._record(record)
        self._start_order.end(record.number, whole=record.status == "done")
        self.ran += 1
        spent = (record.ended or 0.0) - record.started
        _LOG.info("trial %d is %s after %.1f s, objective %s", record.number, record.status, spent, _objective_text(record))
        self.tell(TrialFinished(record=record))
        self._judge()

    def _record(self, record: TrialRecord) -> None:
        self._ledger.write(record)
        self.records[record.number : record.number + 1] = [record]

    def _judge(self) -> None:
        """Compute the objectives that can be computed, then publish the trials that are ready."""
        for role in BASELINES:
            if role not in self._baselines and (baseline := self._complete_baseline(role)) is not None:
                self._baselines[role] = baseline
                _LOG.info("the %s is complete: trials that are finished can be judged", role)
        for record in self.records:
            judged = self._judged(record)
            if judged is not record:
                self._record(judged)
        for record in self.records:
            if record.status != "running" and record.number not in self._published and self._baseline_for(record):
                self._published.add(record.number)
                _LOG.debug("trial %d is told to Optuna and the tracker, objective %s", record.number, _objective_text(record))
                self._mirror.tell(record)
                self._write(self.additions.shown(record))
                self.tell(TrialJudged(record=record))

    def _judged(self, record: TrialRecord) -> TrialRecord:
        baseline = self._baseline_for(record)
        if baseline is None or record.status != "done" or record.objective is not None:
            return record
        try:
            value = objective(record.scores, baseline, self._groups, self.config.objective)
        except StudyNotReady as error:  # it lacks a score that the baseline has
            return dataclasses.replace(record, status="failed", cause=str(error))
        return dataclasses.replace(record, objective=value)

    def _baseline_for(self, record: TrialRecord) -> Baseline | None:
        """Return the baseline of the same share of the target steps; None while it is incomplete."""
        short = record.plan.target_share < 1
        return self._baselines.get("short-baseline" if short else "baseline")

    def _baseline_records(self, role: str) -> list[TrialRecord]:
        """Return the baseline trials that objectives are based on; baseline seeds that were added later do not count."""
        return [record for record in self.records if record.role == role][: self.config.baseline_seeds]

    def _baseline_is_finished(self, role: str) -> bool:
        baseline = self._baseline_records(role)
        return len(baseline) >= self.config.baseline_seeds and all(record.status != "running" for record in baseline)

    def _baseline_is_lost(self, role: str) -> bool:
        done = sum(record.status == "done" for record in self._baseline_records(role))
        return self._baseline_is_finished(role) and done < MIN_BASELINE_SEEDS

    def _complete_baseline(self, role: str) -> Baseline | None:
        """Return the baseline once all of its seeds are finished, else None.

        Raises:
            StudyNotReady: too many of its seeds failed.
        """
        if self._baseline_is_lost(role):
            failed = next(record for record in self._baseline_records(role) if record.status == "failed")
            raise StudyNotReady(
                f"fewer than {MIN_BASELINE_SEEDS} of {self.config.baseline_seeds} baseline seeds could be trained "
                f"(trial {failed.number}: {failed.cause}); mend that, then `tasksearch resume` trains them again"
            )
        return Baseline.of(self._baseline_records(role)) if self._baseline_is_finished(role) else None

    def _ended(self) -> bool:
        """Return whether the study has already ended in its present state, whatever this version would propose beyond that.

        Called at every turn of Ray's loop; the folder is read again only after a trial was added or finished.
        """
        now = len(self.records), self.ran
        if now not in self._ended_at:
            self._ended_at = {now: not self._lost and has_ended(self._ledger, self.config, self.records)}
        return self._ended_at[now]

    def close(self) -> None:
        """Record the end of a study that lacks nothing."""
        if self.complete:
            _LOG.info("the study lacks nothing: %d trials", len(self.records))
            self._ledger.save_end(self.config, len(self.records))

    def _keep_traceback(self, number: int, text: str) -> None:
        write_atomic(self._traceback_path(number), text.encode())

    def _traceback_path(self, number: int) -> Path:
        return self._ledger.trials_path / f"{number:04d}.traceback.txt"

    def _proposed(self, kind: type) -> bool:
        return isinstance(self._propose(len(self.records)), kind)

    def _propose(self, n: int) -> Proposal | Wait | Finished:
        return propose(
            self.config, self._sizes, self._plan_of, n, self.records, self._groups, distances=sampler_distances(self.config)
        )


@lru_cache(maxsize=4)
def _distances_between(languages: tuple[str, ...]) -> dict[tuple[str, str], float]:
    from tasksearch.analysis.languages.distances import combined_distances

    return combined_distances(languages, uriel=False)  # what is installed must not change a proposal


def sampler_distances(config: StudyConfig) -> dict[tuple[str, str], float] | None:
    """Return the distances that the study's sampler reads; None where it reads none."""
    return _distances_between(config.languages) if config.sampler == "auto" else None


def _log_stage(n: int, stage: Proposal | Wait | Finished) -> None:
    if isinstance(stage, Wait):
        why = "its result" if stage.search_goes_on else "all trials so far, or a round of them, must have ended"
        _LOG.info("trial %d cannot be proposed yet: waiting for trial %d (%s)", n, stage.number, why)
    elif isinstance(stage, Finished):
        _LOG.info("nothing is left to propose after %d trials", n)


def _objective_text(record: TrialRecord) -> str:
    return "none yet" if record.objective is None else f"{record.objective:+.3f}"
