"""`simulate_run`: a discrete-event simulation of many trials, scheduled by `SegmentScheduling` and `StartOrder`, without Ray.

It estimates how long trials would take on a number of slots, for forecasts and for evaluating the scheduler itself.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tasksearch.core.required_segments import RequiredSegment, missing_segments
from tasksearch.engine.segment_scheduling import SegmentScheduling
from tasksearch.engine.start_order import StartOrder


@dataclass(frozen=True)
class SimulatedTrial:
    """A trial's segments: `chain` is its intermediate phase, `leaves` are its targets, which all start from the chain's end.

    The work of each segment is in seconds.
    """

    chain: tuple[RequiredSegment, ...]
    leaves: tuple[RequiredSegment, ...]

    @property
    def parts(self) -> tuple[RequiredSegment, ...]:
        """All segments, in the order a trial runs them."""
        return self.chain + self.leaves


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Slot-seconds of a trial's start up to its first report, of a pause, of a resume, and of a part found in the store."""

    start: float = 0.0
    pause: float = 0.0
    resume: float = 0.0
    reuse: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SimulatedRun:
    """Outcome of a simulation.

    Attributes:
        makespan: seconds until the last trial ends.
        trained: (signature, begin, end) of every training, in seconds.
        pauses, resumes: how often a trial gave up its slot, and how often one got a slot back.
    """

    makespan: float
    trained: tuple[tuple[str, float, float], ...]
    pauses: int
    resumes: int

    @property
    def busy_seconds(self) -> float:
        """Slot-seconds spent on training."""
        return sum(end - begin for _, begin, end in self.trained)


def bound(trials: Sequence[SimulatedTrial], slots: int) -> float:
    """Return a lower bound on the makespan in seconds: the longest path, or all distinct work divided by the slots."""
    work = {need.signature: need.work for trial in trials for need in trial.parts}
    paths = [sum(n.work for n in t.chain) + max((n.work for n in t.leaves), default=0.0) for t in trials]
    return max(max(paths, default=0.0), sum(work.values()) / slots)


def simulate_run(
    trials: Sequence[SimulatedTrial],
    slots: int,
    ahead: int,
    costs: Costs | None = None,
    *,
    lag: int | None = None,
    designed: int = 0,
    starts: StartOrder | None = None,
) -> SimulatedRun:
    """Simulate the trials, started in the order in which the driver would start them.

    Args:
        trials: in the order of their numbers.
        slots: number of trials that train at once.
        ahead: number of trials that may wait beside the slots.
        costs: overheads in slot-seconds; None: all are zero.
        lag: trial n is proposed once trials 0 … n-lag have ended; None: all are proposed at the beginning.
        designed: number of first trials that are proposed at the beginning in any case.
        starts: decides which trial starts next; None: the driver's rule.
    """
    return _Stage(
        trials, SegmentScheduling(slots, ahead), costs or Costs(), lag or len(trials), designed, starts or StartOrder()
    ).run()


@dataclass
class _Stage:
    trials: Sequence[SimulatedTrial]
    scheduling: SegmentScheduling
    costs: Costs
    lag: int
    designed: int
    starts: StartOrder
    now: float = 0.0
    held: int = 0  # slots of trials that are being paused
    unbegun: list[int] = field(default_factory=list)
    unfinished: set[int] = field(default_factory=set)
    events: list[tuple[float, int, str, int]] = field(default_factory=list)
    position: dict[int, int] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    trained: list[tuple[str, float, float]] = field(default_factory=list)
    order: Iterator[int] = field(default_factory=itertools.count)  # breaks ties between events at one time

    def run(self) -> SimulatedRun:
        self.unbegun, self.unfinished = list(range(len(self.trials))), set(range(len(self.trials)))
        for number, journey in enumerate(self.trials):
            self.starts.know(number, journey.parts)
        self._fill()
        while self.events:
            self.now, _, what, trial = heapq.heappop(self.events)
            if what == "arrives":
                self._arrives(trial)
            elif what == "ends":
                self._ends(trial)
            else:
                self.held -= 1
            self._fill()
        assert not self.scheduling.waiting and not self.unfinished, "a trial was never run to its end"
        return SimulatedRun(
            makespan=self.now, trained=tuple(self.trained), pauses=self.scheduling.pauses, resumes=self.scheduling.resumes
        )

    def _fill(self) -> None:
        while self.scheduling.running + self.held < self.scheduling.slots:
            if (chosen := self.scheduling.next()) is not None:
                self._later(self.costs.resume, "arrives", int(chosen))
            elif (known := self._known()) and self.scheduling.room():
                trial = self.starts.choose(known, search_goes_on=self._edge() < len(self.trials))
                self.unbegun.remove(trial)
                self.starts.begin(trial)
                self.scheduling.enter(str(trial))
                self._later(self.costs.start, "arrives", trial)
            else:
                return

    def _known(self) -> list[int]:
        edge = self._edge()
        return [number for number in self.unbegun if number < edge]

    def _edge(self) -> int:
        """Return the number of the first trial that is not proposed yet."""
        return max(self.designed, min(self.unfinished, default=0) + self.lag)

    def _arrives(self, trial: int) -> None:
        there, at = self.trials[trial], self.position.get(trial, 0)
        if at == len(there.parts):
            self._is_over(trial)
            return
        needs = missing_segments(there.chain, there.leaves, at, self.done.__contains__)
        self._go(trial, self.scheduling.arrive(str(trial), needs))

    def _go(self, trial: int, may: bool) -> None:
        if not may:
            self.held += 1
            self._later(self.costs.pause, "is paused", trial)
            return
        need = self.trials[trial].parts[self.position.get(trial, 0)]
        found = need.signature in self.done
        if not found:
            self.trained.append((need.signature, self.now, self.now + need.work))
        self._later(self.costs.reuse if found else need.work, "ends", trial)

    def _ends(self, trial: int) -> None:
        at, parts = self.position.get(trial, 0), self.trials[trial].parts
        self.done.add(parts[at].signature)
        self.position[trial] = at + 1
        self.starts.passed(trial, at + 1)
        if at + 1 == len(parts):
            self._is_over(trial)
        else:
            self._go(trial, self.scheduling.passed(str(trial), at + 1))

    def _is_over(self, trial: int) -> None:
        self.scheduling.leave(str(trial), self.position.get(trial, 0))
        self.starts.end(trial, whole=True)
        self.unfinished.discard(trial)

    def _later(self, seconds: float, what: str, trial: int) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self.order), what, trial))
