"""Learning curves live with the segment: whoever reuses it has them, and a kill loses no point that a snapshot had."""

import dataclasses

import pytest

from tasksearch.core.learning_curve import MOST_POINTS, LearningCurve, read_curves
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.space import sequential_twin
from tasksearch.phases.checkpoints import CheckpointPolicy
from tasksearch.phases.context import open_context
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.records.ledger import Ledger
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.training.step_log import StepLog

SUITE = lab_suite()
SETTINGS = dataclasses.replace(
    SUITE.settings,
    intermediate=dataclasses.replace(SUITE.settings.intermediate, batch_size=8),
    target=dataclasses.replace(SUITE.settings.target, batch_size=8, steps=4),
    target_overrides=(),
)
PLAN = Plan(
    suite="lab",
    schedule=sequential_twin(Mixture.uniform("restate", "find"), ["find", "restate"], 6),
    targets=("topic", "retrieval"),
    languages=("en", "near1"),
    settings=SETTINGS,
    seed=0,
)


class Killed(Exception):
    """Stands for a process that ends."""


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


def curves_of(run):
    return {part: run.curve(part) for part in run.parts}


def test_every_trained_segment_has_its_curve_and_a_reusing_run_has_the_same(context, tmp_path):
    stored = dataclasses.replace(context, store=SegmentStore(tmp_path))
    first = PlanRun(PLAN, stored)
    for part in first.parts:
        first.run(part)
    curves = curves_of(first)
    assert set(curves) == {"intermediate/0", "intermediate/1", "target/topic", "target/retrieval"}
    assert curves.pop("target/retrieval") is None  # it trains nothing
    assert [list(curve.steps) for curve in curves.values()] == [[1, 2, 3], [1, 2, 3], [1, 2, 3, 4]]
    assert all(value > 0 for curve in curves.values() for value in (*curve.loss, *curve.examples_per_second))
    rates = [rate for part in ("intermediate/0", "intermediate/1") for rate in curves[part].learning_rate]
    assert max(rates) == pytest.approx(SETTINGS.intermediate.learning_rate, rel=1e-3)
    assert rates[-1] < rates[1]
    again = PlanRun(PLAN, stored)
    assert [again.run(part).steps for part in again.parts] == [0] * 4
    assert {part: curve for part, curve in curves_of(again).items() if curve} == curves
    assert set(curves_of(PlanRun(PLAN, context)).values()) == {None}


def test_a_killed_segment_keeps_the_points_before_its_snapshot(context, tmp_path):
    policy = CheckpointPolicy(every_steps=1, every_seconds=None)
    stored = dataclasses.replace(context, store=SegmentStore(tmp_path), snapshots=policy)

    def end_at_two(part, step, steps):
        if part == "target/topic" and step == 3:
            raise Killed

    with pytest.raises(Killed):
        run_plan(PLAN, stored, end_at_two)
    later = dataclasses.replace(context, store=SegmentStore(tmp_path), snapshots=policy, step_log=StepLog())
    run = PlanRun(PLAN, later)
    for part in run.parts:
        run.run(part)
    assert list(run.curve("target/topic").steps) == [1, 2, 3, 4]


@pytest.mark.parametrize("total", [1, 19, 20, 21, 1000])
def test_a_curve_has_few_points_ends_with_the_last_step_and_keeps_the_mean(total):
    log = StepLog()
    note = log.begin(total, 8, lambda step: 1.0 / (step + 1), LearningCurve())
    for step in range(1, total + 1):
        note(step, float(step))
    curve = log.curve
    assert len(curve.steps) <= MOST_POINTS and curve.steps[-1] == total
    weights = [now - before for before, now in zip((0, *curve.steps), curve.steps, strict=False)]
    mean = sum(weight * loss for weight, loss in zip(weights, curve.loss, strict=True)) / total
    assert mean == pytest.approx((total + 1) / 2)
    assert LearningCurve.from_json(curve.to_json()).steps == curve.steps


def test_the_ledger_joins_an_additions_curves_and_a_damaged_file_is_no_curve(tmp_path):
    ledger = Ledger(tmp_path)
    one = LearningCurve(steps=(1,), loss=(2.0,), learning_rate=(0.1,), examples_per_second=(8.0,))
    ledger.write_curves(3, {"intermediate/0": one})
    ledger.write_curves(3, {"target/nli": one}, addition=1)
    assert read_curves(ledger.curves_path(3)) == {"intermediate/0": one, "target/nli": one}
    assert ledger.record_paths() == []
    ledger.curves_path(3).write_text("{")
    assert read_curves(ledger.curves_path(3)) == {}
