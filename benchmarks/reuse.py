"""What the segment store saves: optimiser steps, counted, and wall time, over whole studies with reuse on and off.

python benchmarks/reuse.py                        # segments played at a rate of steps (`trainables.recorded`): some 15 minutes
python benchmarks/reuse.py --only ladder
python benchmarks/reuse.py --lab                  # a small lab study trained in earnest, on and off: some 10 minutes

Every study is proposed by the product itself (TPE over a planted surface), 64 trainings, in the settings of suite `lab`. Asked
are the steps of every trial as if alone; distinct are those of all segments counted once, which the store must reach exactly.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import tempfile
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.raytune.driver import RunSummary, run_trials
from tasksearch.search.ledger import Ledger
from tasksearch.study.run import configure
from tasksearch.study.settings import settings_of
from tasksearch.study.setup import Setup
from tasksearch.tasks.catalogue import load_suite
from trainables.marks import trainings, unfolded
from trainables.recorded import RecordedTrainable

UNTRAINED = ("retrieval",)
STEP_SECONDS = 0.004
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
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--lab", action="store_true")
    options = parser.parse_args()
    print(f"{date.today()}, {options.slots} slots, {options.trials} trials a study, {1000 * STEP_SECONDS:g} ms a step\n")
    if options.lab:
        from_the_lab()
        return
    print(
        "| study | reuse | steps trained, intermediate + target | asked / trained: intermediate, target, both "
        "| bound: asked / distinct | wall s | pauses | idle |\n|---|---|---:|---:|---:|---:|---:|---:|"
    )
    for label in [options.only] if options.only else CASES:
        case(label, options.slots, options.trials)


def case(label: str, slots: int, trials: int) -> None:
    """Reuse off, on, and a second study (drawn at random, same seed) over the first one's store."""
    first, second = config_of(label, trials), dataclasses.replace(config_of(label, trials), name="second", sampler="random")
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        off = played(first, where / "off", where / "off.log", None, slots)
        on = played(first, where / "on", where / "on.log", where / "marks", slots)
        assert substance(off[0]) == substance(on[0]), "reuse changed a trial, a parameter or a score"
        row(label, "off", off[0], where / "off.log", off[1])
        row(label, "on", on[0], where / "on.log", on[1])
        assert trained(where / "on.log", on[0]) == distinct(on[0]), "the bound is not reached"
        more = played(second, where / "second", where / "on.log", where / "marks", slots)
        row(f"{label}, and a second study", "on", [*on[0], *more[0]], where / "on.log", more[1])
        assert trained(where / "on.log", [*on[0], *more[0]]) == distinct([*on[0], *more[0]])


def config_of(label: str, trials: int) -> StudyConfig:
    """The study as `tasksearch run --space …` would ask for it, without finalists: exactly so many trainings."""
    space, changes = CASES[label]
    config = configure(space=space, suite="lab", trials=trials, leaders=0, lag=8)
    return dataclasses.replace(config, space=dataclasses.replace(config.space, **changes))


def played(
    config: StudyConfig, folder: Path, log: Path, marks: Path | None, slots: int, step_seconds: float = STEP_SECONDS
) -> tuple[list[TrialRecord], RunSummary]:
    """A study of segments that take their time."""
    suite = load_suite("lab")
    sizes = {task: 1000 * place for place, task in enumerate(config.space.tasks, start=1)}
    setup = Setup(suite=suite, data="", model="", sizes=sizes, settings=settings_of(suite, config, None))
    segments = {"log": str(log), "store": str(marks) if marks else None, "step_seconds": step_seconds}
    summary = run_trials(
        Ledger(folder), config, RecordedTrainable,
        {"segments": segments | {"target_steps": None, "untrained": UNTRAINED}}, sizes=sizes, groups=suite.groups,
        plan_of=setup.plan_of(config), tracker=Untracked(), concurrency=slots,
    )  # fmt: skip
    return Ledger(folder).records(), summary


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


def row(label: str, reuse: str, records: list[TrialRecord], log: Path, summary: RunSummary) -> None:
    """One line of the table."""
    wanted, done, bound = asked(records), trained(log, records), distinct(records)
    ratios = [ratio(getattr(wanted, kind), getattr(done, kind)) for kind in ("intermediate", "target", "both")]
    bounds = [ratio(getattr(wanted, kind), getattr(bound, kind)) for kind in ("intermediate", "target", "both")]
    use = summary.slot_use
    assert use is not None
    print(
        f"| {label} | {reuse} | {done.intermediate} + {done.target} = {done.both} | {', '.join(ratios)} | {', '.join(bounds)} "
        f"| {use.seconds / use.slots:.0f} | {use.pauses} | {use.idle_seconds / use.seconds:.0%} |",
        flush=True,
    )


def ratio(a: int, b: int) -> str:
    """`2.41x`."""
    return f"{a / b:.2f}x" if b else "-"


def from_the_lab() -> None:
    """One small study of the lab, trained in earnest: the tables must be equal bit for bit, the time is true time."""
    from tasksearch.study.setup import prepare
    from trainables.three_phase import ThreePhase

    config = configure(
        space="ladder", suite="lab", trials=20, leaders=0, lag=8, baseline_seeds=3, phase1_steps=200,
        targets=("nli", "tagging"), steps=tuple(range(20, 161, 20)),
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
