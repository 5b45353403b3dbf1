"""The court's controls as trainings: a lengthened target phase, and the average of several encoders."""

import dataclasses

import numpy as np
import pytest
import torch

from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.phases import target as target_phase
from tasksearch.phases.checkpoints import CheckpointPolicy
from tasksearch.phases.context import open_context
from tasksearch.phases.planned_work import planned_work
from tasksearch.phases.required_work import required_segments
from tasksearch.phases.resumable import weights
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.lab_suite import lab_suite

SUITE = lab_suite()
SHORT = dataclasses.replace(
    SUITE.settings,
    intermediate=dataclasses.replace(SUITE.settings.intermediate, batch_size=8),
    target=dataclasses.replace(SUITE.settings.target, batch_size=8, steps=4),
    target_overrides=(),
)
MIXES = (Schedule.joint(Mixture.uniform("restate"), 2), Schedule.joint(Mixture.uniform("restate", "find"), 3))


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


def plan(schedule=None, targets=("topic", "retrieval"), **changes):
    fields = {"suite": "lab", "languages": ("en", "near1"), "settings": SHORT, "seed": 1}
    return Plan(schedule=schedule or Schedule.none(), targets=targets, **(fields | changes))


def stored(context, folder):
    return dataclasses.replace(context, store=SegmentStore(folder))


def same_outcomes(first, second):
    return first.keys() == second.keys() and all(np.array_equal(first[cell], second[cell]) for cell in first)


def test_a_plan_without_controls_keeps_the_signature_that_it_had_before_there_were_any():
    single = Schedule.joint(Mixture.uniform("find"), 3)
    bare = Plan(suite="lab", schedule=single, targets=("nli",), languages=("en",), settings=PhaseSettings())
    assert (bare.signature, bare.mix_signature) == ("322efa1215f9d2e62704a95c", "0e18c99d50527a169ccb299c")
    for control in (plan(extra_examples=20), plan(soup=MIXES)):
        assert Plan.from_json(control.to_json()) == control
        assert control.mix_signature != plan().mix_signature


@pytest.mark.parametrize(
    "wrong",
    [
        {"model_seeds": (1,)},
        {"model_seeds": (1, 2), "soup": MIXES},
        {"soup": MIXES[:1]},
        {"soup": MIXES, "schedule": MIXES[0]},
        {"extra_examples": -1},
    ],
)
def test_a_control_that_means_nothing_is_refused(wrong):
    with pytest.raises(BadInput):
        plan(**wrong)


def test_a_lengthened_target_phase_takes_the_extra_examples_in_whole_steps_and_retrieval_stays(context):
    bare, longer = PlanRun(plan(), context), PlanRun(plan(extra_examples=20), context)
    assert [run.run("target/topic").steps for run in (bare, longer)] == [4, 4 + 3]
    assert bare.targets[0].signature == longer.targets[0].signature  # retrieval trains nothing
    assert bare.targets[1].signature != longer.targets[1].signature


def test_a_soup_is_the_mean_of_its_encoders(context):
    parts = [weights(PlanRun(plan(mix), context).encoder()) for mix in MIXES]
    soup = weights(PlanRun(plan(soup=MIXES), context).encoder())
    assert soup.keys() == parts[0].keys()
    moved = 0
    for name, tensor in soup.items():
        mean = (parts[0][name].double() + parts[1][name].double()) / 2
        assert torch.allclose(tensor.double(), mean, rtol=0, atol=1e-7)
        moved += int(not torch.equal(parts[0][name], parts[1][name]))
    assert moved > 10


def test_a_soup_takes_its_encoders_from_the_store_and_an_evicted_one_is_trained_again(context, tmp_path):
    with_store = stored(context, tmp_path)
    plain = run_plan(plan(soup=MIXES), context)
    trained = [PlanRun(plan(mix), with_store) for mix in MIXES]
    for run in trained:
        run.run("intermediate/0")
    first = PlanRun(plan(soup=MIXES), with_store)
    assert first.parts == ("soup", "target/retrieval", "target/topic")
    done = first.run("soup")
    assert done.steps == 0 and done.seconds.keys() == {"reused"}
    scored = {part: first.run(part).outcomes for part in first.parts[1:]}
    with_store.store.discard(trained[1].intermediate[0].signature)
    with_store.store.discard(first.score_file)
    again = PlanRun(plan(soup=MIXES), with_store)
    for part in again.parts[1:]:  # another process goes on in the middle
        assert same_outcomes(again.run(part).outcomes, scored[part])
    assert with_store.store.manifest(trained[1].intermediate[0].signature) is not None
    assert same_outcomes(plain.outcomes, {cell: table for found in scored.values() for cell, table in found.items()})


def test_target_models_over_seeds_are_the_mean_of_runs_whose_heads_start_alike(context, monkeypatch):
    asked, drawn, real = plan(model_seeds=(1, 2, 3), seed=2), [], target_phase.fresh_head
    monkeypatch.setattr(target_phase, "fresh_head", lambda *own: drawn.append(own[2].seed) or real(*own))
    run = PlanRun(asked, context)
    models = [PlanRun(member, context).model_of("topic") for member in asked.model_members]
    assert drawn == [2, 2, 2]
    mean = run.model_of("topic")
    moved = 0
    for of in ("model", "head"):
        tables = [weights(getattr(one, of)) for one in models]
        for name, tensor in weights(getattr(mean, of)).items():
            middle = sum(table[name].double() for table in tables) / 3
            assert torch.allclose(tensor.double(), middle, rtol=0, atol=1e-7)
            moved += int(not torch.equal(tables[0][name], tables[1][name]))
    assert moved > 10 and mean.steps == 3 * 4
    assert [m.targets[1].signature for m in run.members][1] == PlanRun(plan(seed=2), context).targets[1].signature
    assert run.members[0].targets[1].signature != PlanRun(plan(seed=1), context).targets[1].signature, "another head"
    assert run.parts == ("target/retrieval", "target/topic")
    assert len({w.signature for w in planned_work(run) if w.kind == "target"}) == 3
    assert Plan.from_json(asked.to_json()) == asked and asked.mix_signature == asked.with_seed(3).mix_signature


def test_averaged_target_models_survive_kills_and_leave_no_model_in_the_store(context, tmp_path, lives):
    asked = plan(MIXES[0], targets=("topic",), model_seeds=(1, 2))
    often = dataclasses.replace(stored(context, tmp_path), snapshots=CheckpointPolicy(every_steps=1))
    whole = run_plan(asked, context)
    assert len(required_segments(PlanRun(asked, often), 0)) == 3, "two encoders, then the average"
    done = lives(lambda on_step: run_plan(asked, often, on_step), (3, 4, 4))
    assert same_outcomes(done.outcomes, whole.outcomes)
    run = PlanRun(asked, often)
    for member in run.members:
        assert not often.store.peek(member.targets[0].signature)
        assert not often.store.snapshots(member.targets[0].signature), "nor snapshots of its training"
    assert run.run("target/topic").steps == 0 and required_segments(run, 0) == ()


def test_averaged_target_models_cost_their_encoders_too_once(context, tmp_path):
    asked = plan(MIXES[0], model_seeds=(1, 2))
    own = stored(context, tmp_path)
    run = PlanRun(asked, own)
    retrieval, topic = (run.run(part) for part in run.parts)
    assert retrieval.steps == 2 * 2 and retrieval.seconds["intermediate"] > 0
    assert topic.steps == 2 * 4 and "intermediate" not in topic.seconds
    other = PlanRun(plan(MIXES[0], seed=7, model_seeds=(1, 2, 3)), own)
    retrieval = other.run(other.parts[0])
    assert retrieval.steps == 2 and retrieval.seconds["reused"] > 0, "two encoders are there, one is trained"


def test_a_soup_of_other_encoders_has_another_name(context):
    third = Schedule.joint(Mixture.uniform("find"), 2)
    names = {PlanRun(plan(soup=soup), context).targets[0].signature for soup in (MIXES, (MIXES[0], third))}
    names |= {PlanRun(plan(soup=MIXES, seed=2), context).targets[0].signature, PlanRun(plan(), context).targets[0].signature}
    assert len(names) == 4
