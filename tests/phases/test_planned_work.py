"""What a plan asks for is what it trains, and what is different among plans is what a shared store trains."""

import dataclasses
import json

import pytest

from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.phases.calibrate import speed_of
from tasksearch.phases.context import open_context
from tasksearch.phases.planned_work import planned_work, sharing
from tasksearch.phases.run import PlanRun
from tasksearch.store.score_files import stored_signatures
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.lab_suite import lab_suite

SUITE = lab_suite()
SHORT = dataclasses.replace(
    SUITE.settings,
    intermediate=dataclasses.replace(SUITE.settings.intermediate, batch_size=8),
    target=dataclasses.replace(SUITE.settings.target, batch_size=8, steps=None, epochs=0.5),
    target_overrides=(("topic", (("steps", 3),)),),
)
CHAINS = [[("find", 2), ("marks", 2)], [("find", 2), ("sort", 3)], [("find", 2), ("marks", 2)]]
PLANS = [
    Plan(
        suite="lab", schedule=Schedule.sequential(chain), targets=("topic", "nli", "retrieval"), languages=("en", "near1"),
        settings=SHORT,
    )
    for chain in CHAINS
]  # fmt: skip


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


def test_a_store_reaches_the_sharing_that_was_foreseen_exactly(context, tmp_path):
    kept = dataclasses.replace(context, store=SegmentStore(tmp_path))
    works = [planned_work(PlanRun(plan, context)) for plan in PLANS]
    taken = {"intermediate": 0, "target": 0}
    for plan in PLANS:
        run = PlanRun(plan, kept)
        for part in run.parts:
            done = run.run(part)
            taken[part.partition("/")[0]] += done.steps
    for kind, steps in taken.items():
        assert sharing(works, kind).distinct == steps
    assert sharing(works, "intermediate").asked == 4 + 5 + 4
    assert sharing(works, "scores").distinct_segments == 2 * (2 + 2 + 1), "retrieval has no English"
    there = stored_signatures(kept.store)
    assert {w.signature for plan in works for w in plan} == there
    assert sharing(works, "target", there).already == 4
    scored = sum(w.examples for w in works[0])
    assert scored == sum(score.examples for part in run.parts for score in run.run(part).scores)


def test_the_speed_is_measured_once_and_kept(context, tmp_path, monkeypatch):
    monkeypatch.setenv("TASKSEARCH_CACHE", str(tmp_path))
    first, measured = speed_of(PLANS[0], ["find", "marks"], context)
    again, anew = speed_of(PLANS[0].with_seed(3), ["marks", "find"], context)
    assert measured and not anew and first == again
    assert set(first.target_step) == {"topic", "nli"} and set(first.example) == {"topic", "nli", "retrieval"}
    assert first.step > 0 and all(seconds > 0 for seconds in (*first.target_step.values(), *first.example.values()))
    [path] = (tmp_path / "speed").iterdir()
    assert json.loads(path.read_text())["model_bytes"] == sum(4 * p.numel() for p in context.pretrained.model.parameters())
    short, anew = speed_of(dataclasses.replace(PLANS[0], target_share=0.25), ["find", "marks"], context, again=True)
    assert anew and set(short.target_step) == {"topic", "nli"} and all(seconds > 0 for seconds in short.target_step.values())


def test_a_short_plan_shares_all_but_the_training_of_targets_with_the_whole_one(context):
    def signed(plan):
        run = PlanRun(plan, context)
        return {segment.name: segment.signature for segment in (*run.intermediate, *run.targets)}

    whole, short = PLANS[0], dataclasses.replace(PLANS[0], target_share=0.5)
    own = (("topic", (("epochs", 0.5), ("steps", 2))),)
    asked = dataclasses.replace(SHORT, target=dataclasses.replace(SHORT.target, epochs=0.25), target_overrides=own)
    assert signed(short) == signed(dataclasses.replace(whole, settings=asked)), "a segment is named by the steps that it runs"
    differ = {name for name, signature in signed(short).items() if signed(whole)[name] != signature}
    assert differ == {"target/nli", "target/topic"}
    works = ([w.steps for w in planned_work(PlanRun(plan, context)) if w.kind == "target"] for plan in (whole, short))
    assert [sum(steps) for steps in works] == [4 + 3, 2 + 2]
