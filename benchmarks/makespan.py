"""How long a study takes beside what no scheduler could beat: max(critical path, distinct work / slots).

python benchmarks/makespan.py                    # simulated: 64 plans, 8 slots; seconds
python benchmarks/makespan.py --ray thirds       # one of the studies through Ray, with segments that take their time

The simulation runs the product's own decisions (`raytune/traffic.py`, `raytune/starts.py`) over plans drawn at random from the
spaces, in the settings of suite `lab`. A search with a sampler knows trial n once trials 0 … n-lag have ended, beside its
designs; of draws at random or a list all are known from the beginning. The critical path is the longest in the tree of
segments: a trial runs its targets one after the other, a tree need not, so the bound is stricter than what trials of one slot
each could reach. "Least" adds to the distinct work what no order avoids: every trial's start, every look-up of a found part.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import statistics
import tempfile
from collections.abc import Callable, Collection, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from reuse import CASES, UNTRAINED, config_of, played, setup_of

from tasksearch.core.plan import Plan
from tasksearch.core.required_segments import RequiredSegment
from tasksearch.core.space import decode
from tasksearch.engine.simulation import Costs, SimulatedTrial, bound, simulate_run
from tasksearch.engine.start_order import StartOrder
from tasksearch.phases.unfolding import unfolded
from tasksearch.search.designed_trials import designed_trials
from tasksearch.search.random_schedules import random_params
from tasksearch.study.settings import settings_of
from tasksearch.tasks.catalogue import load_suite
from tasksearch.testing.timed_segments import trainings

MEASURED = Costs(start=0.3, pause=0.01, resume=1.3, reuse=0.1)
"""Seconds: start, pause and resume with reused workers in Ray 2.60, and a small segment that is looked up and verified."""

FRESH = Costs(start=5.0, pause=0.01, resume=5.0, reuse=0.1)
"""With a fresh process a trial, as on a GPU."""


LAGS = (1.0, 1.5, 3.0, 2.0)
"""Of a sampler, times the slots."""

DRAWS = 10


class ByNumber(StartOrder):
    """How trials were begun before: in the order of their numbers."""

    def choose(self, numbers: Collection[int], *, search_goes_on: bool) -> int:
        return min(numbers)


class Longest(StartOrder):
    """Longest missing work first at all times, whatever waits for a result."""

    def choose(self, numbers: Collection[int], *, search_goes_on: bool) -> int:
        return super().choose(numbers, search_goes_on=False)


RIVALS = {"number": ByNumber, "longest": Longest}
"""Other orders, to stand beside the product's."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ray", metavar="LABEL", help=f"one of {', '.join(CASES)}")
    parser.add_argument("--plans", type=int, default=64)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--beside", choices=sorted(RIVALS), default="number", help="the order in the columns beside")
    parser.add_argument("--step", type=float, default=0.05, help="seconds of a step through Ray")
    options = parser.parse_args()
    print(f"{date.today()}, {options.plans} plans, {options.slots} slots")
    if options.ray:
        through_ray(options.ray, options.plans, options.slots, options.step)
        return
    print(f"\nmakespan / max(critical path, distinct work / slots), median and worst of {DRAWS} draws of the plans\n")
    sampled = [f"lag {factor:g} x slots" for factor in LAGS]
    beside = f"by {options.beside}"
    known = ["no costs", "reused workers", "least", beside, "fresh workers", "least"]
    heads = [*known, *sampled, f"lag {LAGS[-1]:g} x, {beside}", "no reuse"]
    print(f"| plans | a step takes | bound by | {' | '.join(heads)} |")
    print(f"|---|---:|---|{'---:|' * len(heads)}")
    for label in CASES:
        for step in (0.03, 0.3):
            row(label, options.plans, options.slots, step, RIVALS[options.beside])


def row(label: str, plans: int, slots: int, step: float, rival: type[StartOrder]) -> None:
    """One line of the table."""
    draws = [journeys(label, plans, seed, step) for seed in range(DRAWS)]
    work = [sum({n.signature: n.work for t in d for n in t.parts}.values()) / slots for d in draws]
    path = sum(bound(d, slots) > w for d, w in zip(draws, work, strict=True))
    designed = designed_of(label, plans)

    def told(costs: Costs, **how: Any) -> str:
        return spread(draws, slots, lambda d: simulate_run(d, slots, 2 * slots, costs, **how).makespan)

    lags = [{"lag": round(factor * slots), "designed": designed} for factor in LAGS]
    cells = [told(Costs()), told(MEASURED), least(draws, slots, MEASURED), beside(draws, slots, rival)]
    cells += [told(FRESH), least(draws, slots, FRESH)]
    cells += [told(MEASURED, **lag) for lag in lags] + [beside(draws, slots, rival, **lags[-1])]
    cells.append(spread(draws, slots, lambda d: simulate_run(apart(d), slots, 2 * slots, MEASURED).makespan))
    by = f"path in {path} of {DRAWS}" if path else "work"
    print(f"| {label} | {step:g} s | {by} | {' | '.join(cells)} |", flush=True)


def least(draws: Sequence[list[SimulatedTrial]], slots: int, costs: Costs) -> str:
    """Median of what starts and look-ups alone make of the bound, spread evenly over the slots."""

    def ratio(trials: list[SimulatedTrial]) -> float:
        parts = [need for trial in trials for need in trial.parts]
        work = {need.signature: need.work for need in parts}
        spent = sum(work.values()) + len(trials) * costs.start + (len(parts) - len(work)) * costs.reuse
        return max(1.0, spent / slots / bound(trials, slots))

    return f"{statistics.median(ratio(one) for one in draws):.2f}"


def beside(draws: Sequence[list[SimulatedTrial]], slots: int, rival: type[StartOrder], **how: Any) -> str:
    """With reused workers, begun in another order."""
    return spread(draws, slots, lambda d: simulate_run(d, slots, 2 * slots, MEASURED, starts=rival(), **how).makespan)


def designed_of(label: str, plans: int) -> int:
    """Trials of a study that no result is waited for: the baseline's and the designs."""
    config = config_of(label, plans)
    return config.baseline_seeds + len(designed_trials(config.space, setup_of(config).sizes))


def spread(draws: Sequence[list[SimulatedTrial]], slots: int, makespan: Callable[[list[SimulatedTrial]], float]) -> str:
    """`1.04 (1.07)`: median and worst."""
    ratios = [makespan(one) / bound(one, slots) for one in draws]
    return f"{statistics.median(ratios):.2f} ({max(ratios):.2f})"


def apart(trials: Sequence[SimulatedTrial]) -> list[SimulatedTrial]:
    """The same trials without a store."""
    return [
        SimulatedTrial(*(tuple(RequiredSegment(f"{i}/{n.signature}", n.work) for n in part) for part in (t.chain, t.leaves)))
        for i, t in enumerate(trials)
    ]


def journeys(label: str, count: int, seed: int, step: float) -> list[SimulatedTrial]:
    """Plans drawn at random, each once, as trials of so many seconds."""
    config, rng = config_of(label, count), random.Random(seed)
    settings = settings_of(load_suite("lab"), config, None)
    found: dict[object, SimulatedTrial] = {}
    while len(found) < count:
        schedule = decode(config.space, random_params(config.space, rng))
        if schedule is None:
            continue
        plan = Plan(
            suite="lab", schedule=schedule, targets=config.targets, languages=config.languages, settings=settings, seed=0
        )
        found.setdefault(schedule, journey(plan, step))
    return list(found.values())


def journey(plan: Plan, step: float) -> SimulatedTrial:
    """A plan's segments with their seconds."""
    chain, targets = unfolded(plan, UNTRAINED)
    steps = {t.signature: plan.settings.for_target(t.target).steps or 0 if t.trained else 0 for t in targets}
    return SimulatedTrial(
        tuple(RequiredSegment(s.signature, step * s.stage.steps) for s in chain),
        tuple(RequiredSegment(s, step * n) for s, n in steps.items()),
    )


def through_ray(label: str, plans: int, slots: int, step: float) -> None:
    """One study as it is, baseline and designs among its trials."""
    config = dataclasses.replace(config_of(label, plans), lag=plans, sampler="random")
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        records, summary = played(config, where / "study", where / "log", where / "marks", slots, step)
        log = trainings(where / "log")
    assert summary is not None and summary.slot_use is not None
    use = summary.slot_use
    assert len(log) == len({one.signature for one in log}), "a segment was trained twice"
    trials = [journey(record.plan, step) for record in records]
    least, spent = bound(trials, slots), max(one.end for one in log) - min(one.begin for one in log)
    print(
        f"{label} through Ray, {step:g} s a step: first to last training {spent:.1f} s, bound {least:.1f} s, "
        f"ratio {spent / least:.3f}; {use.pauses} pauses, {use.resumes} resumes of "
        f"{use.resume_seconds / max(1, use.resumes):.2f} s each, {use.idle_seconds / use.seconds:.1%} of slot-seconds idle"
    )


if __name__ == "__main__":
    main()
