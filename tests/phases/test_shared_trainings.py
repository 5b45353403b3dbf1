"""Targets of the same English data, kind, labels and settings are one training, whatever they are called."""

import dataclasses

import numpy as np
import pytest

from tasksearch.core import shared_trainings
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.phases.context import open_context
from tasksearch.phases.required_work import required_segments
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.lab_suite import lab_suite

LAB = lab_suite()
TWIN = dataclasses.replace(
    LAB.card("topic"), name="a_topic", folder=LAB.card("topic").folder or "topic", head="", metric="accuracy"
)
SUITE = dataclasses.replace(LAB, cards=(*LAB.cards, TWIN))
HOW = dataclasses.replace(
    LAB.settings,
    intermediate=dataclasses.replace(LAB.settings.intermediate, batch_size=8),
    target=dataclasses.replace(LAB.settings.target, batch_size=8, steps=4, train_examples=20),
    target_overrides=(),
)


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


def plan(*targets, **changes):
    settings = dataclasses.replace(HOW, **changes)
    mix = Schedule.joint(Mixture.uniform("restate", "find"), 2)
    return Plan(suite="lab", schedule=mix, targets=targets, languages=("en", "near1"), settings=settings)


def equal(first, second, target):
    cells = [cell for cell in first.outcomes if cell[0] == target]
    return cells and all(np.array_equal(first.outcomes[cell], second.outcomes[cell]) for cell in cells)


@pytest.mark.parametrize("stored", [False, True])
def test_a_target_alone_and_beside_its_twin_have_equal_tables_and_one_training(context, tmp_path, stored):
    where = dataclasses.replace(context, store=SegmentStore(tmp_path)) if stored else context
    run = PlanRun(plan("topic", "a_topic", "nli"), where)
    steps = {part: run.run(part).steps for part in run.parts}
    assert steps == {"intermediate/0": 2, "target/a_topic": 4, "target/nli": 4, "target/topic": 0}
    assert shared_trainings.shared_trainings(run.notes) == (("a_topic", "topic"),)
    together = run_plan(plan("topic", "a_topic", "nli"), where)
    for name in ("topic", "a_topic"):
        alone = run_plan(plan(name), context)
        assert equal(alone, together, name)
    assert {cell[0] for cell in together.outcomes} == {"topic", "a_topic", "nli"}


def test_what_is_trained_by_one_part_is_not_missing_for_the_next(context, tmp_path):
    where = dataclasses.replace(context, store=SegmentStore(tmp_path))
    run = PlanRun(plan("topic", "a_topic"), where)
    assert [need.part for need in required_segments(run, 0)] == [0, 1], "the twins are one segment"
    run.run("intermediate/0"), run.run("target/a_topic")
    anew = PlanRun(plan("topic", "a_topic"), where)
    assert required_segments(anew, 1) == ()
    assert anew.run("target/topic").steps == 0, "another process finds the tables"


@pytest.mark.parametrize("keeps", [False, True])
def test_a_twin_that_joins_later_uses_the_weights_that_were_kept(context, tmp_path, keeps):
    where = dataclasses.replace(context, store=SegmentStore(tmp_path), keep_targets=keeps)
    run_plan(plan("topic"), where)
    run = PlanRun(plan("topic", "a_topic"), where)
    assert run.run("target/a_topic").steps == (0 if keeps else 4)
    trained = run.trained("a_topic")
    assert equal(trained, run_plan(plan("a_topic"), context), "a_topic"), "what an export writes"


def test_a_setting_labels_or_examples_of_its_own_make_it_another_training(context):
    def apart(made, where=context):
        first, second = PlanRun(made, where).targets
        return first.signature != second.signature

    assert not apart(plan("topic", "a_topic"))
    assert apart(plan("topic", "a_topic", target_overrides=(("topic", (("steps", 5),)),)))
    assert not apart(plan("topic", "a_topic", target_overrides=tuple((t, (("steps", 5),)) for t in ("a_topic", "topic"))))
    cards = tuple(dataclasses.replace(c, labels=c.labels[::-1]) if c.name == "topic" else c for c in SUITE.cards)
    assert apart(plan("topic", "a_topic"), dataclasses.replace(context, suite=dataclasses.replace(SUITE, cards=cards)))


def test_score_tables_of_twins_have_names_of_their_own(context):
    first, second = PlanRun(plan("topic", "a_topic"), context).targets
    assert not {name for _, name in first.tables} & {name for _, name in second.tables}
