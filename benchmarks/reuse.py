"""What the segment store saves: optimiser steps, counted, and wall time, over whole studies with reuse on and off.

python benchmarks/reuse.py                        # some minutes: segments are played, their wall time simulated
python benchmarks/reuse.py --only ladder --ray    # the same through Ray, with segments that take 4 ms a step
python benchmarks/reuse.py --lab                  # a small lab study trained in earnest, on and off

Every study is proposed by the product itself (TPE over a planted surface), 64 trainings, in the settings of suite `lab`. Asked
are the steps of every trial as if alone; distinct are those of all segments counted once, which the store must reach exactly.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tasksearch.core.required_segments import RequiredSegment
from tasksearch.core.score import ScoreTable
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.engine.optuna_storage import OptunaMirror, open_storage
from tasksearch.engine.simulation import Costs, SimulatedTrial, simulate_run
from tasksearch.engine.trial_manager import TrialManager
from tasksearch.phases.unfolding import unfolded
from tasksearch.raytune.driver import RunSummary, run_trials
from tasksearch.records.ledger import Ledger
from tasksearch.search.proposals import Proposal, propose
from tasksearch.study.run import configure
from tasksearch.study.settings import settings_of
from tasksearch.study.setup import Setup
from tasksearch.tasks.catalogue import load_suite
from tasksearch.testing.timed_segments import TimedSegments, TimedSettings, trainings
from trainables.recorded import RecordedTrainable

UNTRAINED = ("retrieval",)
STEP_SECONDS = 0.004
REAL_STEP = 1.0
"""Of a step in the simulation; assumed."""

COSTS = Costs(start=5.0, pause=0.01, resume=5.0, reuse=0.5)
"""Seconds, of trials with a fresh process each, as on a GPU."""

THIRDS = {"min_tasks": 3, "max_tasks": 3, "denominator": 3}
CASES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "joint_vs_seq": ("joint_vs_seq", {}),
    "sequential": ("sequential", {"min_tasks": 3}),
    "sequential in thirds": ("sequential", THIRDS | {"steps": (192,)}),
    "ladder": ("ladder", {}),
}
"""Label → space, and what is changed of it. In thirds and of one length, chains that begin alike share what they begin with."""


class Untracked:
    """A tracker that keeps nothing."""

    def open_study(self, config: Any, tags: Any) -> None:
        """Nothing."""

    def write_trial(self, record: Any, artefacts: Any) -> None:
        """Nothing."""

    def close_study(self, summary: Any, artefacts: Any, *, complete: bool) -> None:
        """Nothing."""


@dataclasses.dataclass(frozen=True)
class Steps:
    """Optimiser steps of the intermediate and of the target phases."""

    intermediate: int
    target: int

    @property
    def both(self) -> int:
        return self.intermediate + self.target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=sorted(CASES))
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--random", action="store_true", help="drawn at random and not scored: seconds")
    parser.add_argument("--lab", action="store_true")
    options = parser.parse_args()
    if options.lab:
        from_the_lab()
        return
    wall = f"through Ray at {1000 * STEP_SECONDS:g} ms a step" if options.ray else f"simulated at {REAL_STEP:g} s a step"
    print(f"{date.today()}, {options.trials} trials a study, {options.slots} slots, wall time {wall}\n", flush=True)
    print(
        "| study | reuse | steps trained: intermediate + target | asked / trained: intermediate, target, both "
        "| bound, asked / distinct: the same | wall |\n|---|---|---:|---:|---:|---:|",
        flush=True,
    )
    for label in [options.only] if options.only else CASES:
        case(label, options.slots, options.trials, through_ray=options.ray, drawn=options.random)


def case(label: str, slots: int, trials: int, *, through_ray: bool, drawn: bool) -> None:
    """Reuse off, on, and a second study over the first one's store: drawn at random, its trainings on the same seeds."""
    play = played if through_ray else counted if drawn else in_process
    first, second = config_of(label, trials), dataclasses.replace(config_of(label, trials), name="second", sampler="random")
    if drawn:
        first, second = dataclasses.replace(first, sampler="random"), dataclasses.replace(second, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        off, summary = play(first, where / "off", where / "off.log", None, slots)
        row(label, "off", off, where / "off.log", wall_of(off, slots, summary, stored=None))
        if through_ray or drawn:
            on, summary = play(first, where / "on", where / "on.log", where / "marks", slots)
        else:
            on, summary = again(off, where / "on", where / "on.log", where / "marks"), None
        row("", "on", on, where / "on.log", wall_of(on, slots, summary, stored=()))
        assert substance(off) == substance(on), "reuse changed a trial, a parameter or a score"
        assert trained(where / "on.log", on) == distinct(on), "the bound is not reached"
        more, summary = play(second, where / "second", where / "on.log", where / "marks", slots)
        row("and a second study", "on", [*on, *more], where / "on.log", wall_of(more, slots, summary, stored=on))
        assert trained(where / "on.log", [*on, *more]) == distinct([*on, *more]), "the bound is not reached"


def wall_of(
    records: Sequence[TrialRecord], slots: int, summary: RunSummary | None, stored: Sequence[TrialRecord] | None
) -> str:
    """Through Ray as it was; else simulated. `stored`: studies whose segments are there already; None: no store at all."""
    if summary is not None and summary.slot_use is not None:
        use = summary.slot_use
        return f"{use.seconds / use.slots:.0f} s ({use.pauses} pauses, {use.idle_seconds / use.seconds:.0%} idle)"
    there = {name for record in stored or () for name, _, _ in segments_of(record)}
    trials = [journey_of(record, there, "" if stored is not None else f"{record.number}/") for record in records]
    return f"{simulate_run(trials, slots, 2 * slots, COSTS).makespan / 3600:.2f} h"


def journey_of(record: TrialRecord, there: Collection[str], apart: str) -> SimulatedTrial:
    """A trial's segments with their seconds, none for those that are there."""
    rows = [
        (kind, RequiredSegment(apart + name, 0.0 if name in there else REAL_STEP * steps))
        for name, kind, steps in segments_of(record)
    ]
    return SimulatedTrial(
        tuple(need for kind, need in rows if kind == "intermediate"), tuple(need for kind, need in rows if kind == "target")
    )


def config_of(label: str, trials: int) -> StudyConfig:
    """The study as `tasksearch run --space …` would ask for it, without finalists: exactly so many trainings."""
    space, changes = CASES[label]
    config = configure(space=space, suite="lab", trials=trials, controls="none", lag=8)
    return dataclasses.replace(config, leaders=0, space=dataclasses.replace(config.space, **changes))


def setup_of(config: StudyConfig) -> Setup:
    """Settings of suite `lab`; sizes are made up, for the designs' shares."""
    suite = load_suite("lab")
    sizes = {task: 1000 * place for place, task in enumerate(config.space.tasks, start=1)}
    return Setup(suite=suite, data="", model="", sizes=sizes, settings=settings_of(suite, config, None))


def played(
    config: StudyConfig, folder: Path, log: Path, marks: Path | None, slots: int, step_seconds: float = STEP_SECONDS
) -> tuple[list[TrialRecord], RunSummary | None]:
    """A study of segments that take their time, through Ray."""
    setup = setup_of(config)
    summary = run_trials(
        Ledger(folder), config, RecordedTrainable, context_of(log, marks, step_seconds), sizes=setup.sizes,
        groups=setup.suite.groups, plan_of=setup.plan_of(config), tracker=Untracked(), concurrency=slots,
    )  # fmt: skip
    return Ledger(folder).records(), summary


def in_process(
    config: StudyConfig, folder: Path, log: Path, marks: Path | None, slots: int
) -> tuple[list[TrialRecord], RunSummary | None]:
    """The same study without Ray and without waiting, trial by trial: equal at any number of slots."""
    setup, ledger = setup_of(config), Ledger(folder)
    mirror = OptunaMirror(open_storage(ledger.optuna_path), config.name, config.space)
    manager = TrialManager(
        ledger, config, mirror, sizes=setup.sizes, groups=setup.suite.groups, plan_of=setup.plan_of(config),
        write=lambda record: None, on_event=lambda event: None,
    )  # fmt: skip
    context = context_of(log, marks, 0.0) | {"study_folder": str(folder)}
    while not isinstance(record := manager.next(), str):
        assert record is not None, "one trial at a time never waits"
        manager.finish(record.number, last_report(record, context))
    return ledger.records(), None


def counted(
    config: StudyConfig, folder: Path, log: Path, marks: Path | None, slots: int
) -> tuple[list[TrialRecord], RunSummary | None]:
    """Plans and segments alone, without scores: a sampler that draws at random needs none."""
    assert config.sampler == "random"
    setup, records = setup_of(config), list[TrialRecord]()
    plan_of = setup.plan_of(dataclasses.replace(config, seed=0))
    while isinstance(found := propose(config, setup.sizes, plan_of, len(records), records), Proposal):
        record = TrialRecord(
            number=found.number, role=found.role, status="done", plan=found.plan, params=found.params, objective=0.0
        )
        segments = TimedSegments(found.plan, found.number, TimedSettings(**context_of(log, marks, 0.0)["segments"]))
        for part in segments.needs:
            segments.train(part)
        records.append(record)
    return records, None


def again(records: Sequence[TrialRecord], folder: Path, log: Path, marks: Path) -> list[TrialRecord]:
    """The same plans over a store. Proposals follow from scores alone, so equal scores are the same study."""
    context = context_of(log, marks, 0.0) | {"study_folder": str(folder)}
    found = []
    for record in records:
        scores = ScoreTable.from_json(json.loads(last_report(record, context)["scores"]))
        found.append(dataclasses.replace(record, scores=scores))
    return found


def last_report(record: TrialRecord, context: Mapping[str, Any]) -> dict[str, Any]:
    """A trial, step by step."""
    trial = {"number": record.number, "role": record.role, "plan": record.plan.to_json(), "context": dict(context)}
    actor, report = RecordedTrainable(trial), dict[str, Any]()
    while not report.get("done"):
        report = actor.step()
    return report


def context_of(log: Path, marks: Path | None, step_seconds: float) -> dict[str, Any]:
    """For the trainable."""
    played = {"log": str(log), "store": str(marks) if marks else None, "step_seconds": step_seconds}
    return {"segments": played | {"target_steps": None, "untrained": UNTRAINED}}


def substance(records: list[TrialRecord]) -> Any:
    """Everything but clocks."""
    return [(r.number, r.role, r.status, r.plan, r.params, r.scores, r.objective) for r in records]


def asked(records: list[TrialRecord]) -> Steps:
    """As if every trial were alone."""
    return _sum(itertools.chain.from_iterable(segments_of(record) for record in records))


def distinct(records: list[TrialRecord]) -> Steps:
    """Every segment once."""
    return _sum({name: (name, kind, steps) for record in records for name, kind, steps in segments_of(record)}.values())


def trained(log: Path, records: list[TrialRecord]) -> Steps:
    """What the log says was trained."""
    kinds = {name: kind for record in records for name, kind, _ in segments_of(record)}
    return _sum((one.signature, kinds[one.signature], one.steps) for one in trainings(log))


def segments_of(record: TrialRecord) -> list[tuple[str, str, int]]:
    """(signature, `intermediate` or `target`, steps)."""
    chain, targets = unfolded(record.plan, UNTRAINED)
    steps = {one.signature: record.plan.settings.for_target(one.target).steps or 0 if one.trained else 0 for one in targets}
    return [(one.signature, "intermediate", one.stage.steps) for one in chain] + [
        (name, "target", count) for name, count in steps.items()
    ]


def _sum(rows: Any) -> Steps:
    found = {"intermediate": 0, "target": 0}
    for _, kind, steps in rows:
        found[kind] += steps
    return Steps(**found)


def row(label: str, reuse: str, records: list[TrialRecord], log: Path, wall: str) -> None:
    """One line of the table."""
    wanted, done, bound = asked(records), trained(log, records), distinct(records)
    kinds = ("intermediate", "target", "both")
    ratios = ", ".join(ratio(getattr(wanted, kind), getattr(done, kind)) for kind in kinds)
    bounds = ", ".join(ratio(getattr(wanted, kind), getattr(bound, kind)) for kind in kinds)
    print(f"| {label} | {reuse} | {done.intermediate} + {done.target} | {ratios} | {bounds} | {wall} |", flush=True)


def ratio(a: int, b: int) -> str:
    """`2.41x`."""
    return f"{a / b:.2f}x" if b else "-"


def from_the_lab() -> None:
    """One small study of the lab, trained in earnest: the tables must be equal bit for bit, the time is true time."""
    from tasksearch.study.setup import prepare
    from trainables.three_phase import ThreePhase

    print(f"{date.today()}, ladder over two tasks, 20-100 steps, targets nli (20 steps) and retrieval")
    config = configure(
        space="ladder", suite="lab", trials=14, leaders=1, leader_seeds=1, most_seeds=1, lag=4, baseline_seeds=3,
        phase1_steps=100, targets=("nli", "retrieval"), steps=tuple(range(20, 101, 20)), target_steps=20, controls="none",
    )  # fmt: skip
    config = dataclasses.replace(config, space=dataclasses.replace(config.space, tasks=config.space.tasks[:2]))
    setup = prepare(config)
    found = {}
    with tempfile.TemporaryDirectory() as place:
        for reuse in ("off", "on"):
            folder = Path(place) / reuse
            context = setup.context(config, folder) | {"store": str(folder / "store") if reuse == "on" else None}
            began = time.perf_counter()
            summary = run_trials(
                Ledger(folder), config, ThreePhase, context, sizes=setup.sizes, groups=setup.suite.groups,
                plan_of=setup.plan_of(config), tracker=Untracked(), concurrency=2,
            )  # fmt: skip
            ledger = Ledger(folder)
            records = ledger.records()
            cells = sum(len(record.scores) for record in records)
            found[reuse] = substance(records), [ledger.outcomes(r.number) for r in records]
            use = summary.slot_use
            assert use is not None
            print(
                f"lab, {len(records)} trainings, reuse {reuse}: {use.seconds / use.slots:.0f} s of two slots "
                f"({time.perf_counter() - began:.0f} s with Ray's start), {use.pauses} pauses, "
                f"{use.idle_seconds / use.seconds:.0%} idle, {cells} scores",
                flush=True,
            )
    assert found["off"][0] == found["on"][0], "reuse changed a trial, a parameter or a score"
    pairs = list(zip(found["off"][1], found["on"][1], strict=True))
    assert all(a.keys() == b.keys() and all(a[c].tobytes() == b[c].tobytes() for c in a) for a, b in pairs)
    print("trials, parameters, scores and every example's outcome: equal bit for bit")
    bound = asked(records).both / distinct(records).both
    print(f"asked / distinct steps of these plans: {bound:.2f}x")


if __name__ == "__main__":
    main()
