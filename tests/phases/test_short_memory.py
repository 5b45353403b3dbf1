"""A plan on a device that is short of memory: the same scores, and manifests that say how its steps were cut."""

import dataclasses
import gc

import pytest
import torch
from transformers import PreTrainedModel

from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.forward import memory, passes
from tasksearch.phases.context import open_context
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.store.score_files import facts_of
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.training import accumulate

SUITE = lab_suite()
SETTINGS = dataclasses.replace(
    SUITE.settings,
    intermediate=dataclasses.replace(SUITE.settings.intermediate, batch_size=8),
    target=dataclasses.replace(SUITE.settings.target, batch_size=8, steps=3),
    target_overrides=(),
)
PLAN = Plan(
    suite="lab",
    schedule=Schedule.joint(Mixture.of({"restate": 1, "marks": 1}), 4),
    targets=("nli", "retrieval"),
    languages=("en", "near1"),
    settings=SETTINGS,
)


def test_a_plan_short_of_memory_scores_as_one_that_is_not(tiny_lab, tmp_path, monkeypatch):
    opened = open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)
    plenty = run_plan(PLAN, opened)
    real = passes.loss_sum

    def loss_sum(model, head, batch, specials):
        if len(batch.ids) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(model, head, batch, specials)

    monkeypatch.setattr(accumulate, "loss_sum", loss_sum)
    short = open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), str(tmp_path / "store"))
    scores = run_plan(PLAN, short).scores
    # equal but for examples on the fence: sums in another order differ by 1e-7
    assert [s.value for s in scores] == pytest.approx([s.value for s in plenty.scores], abs=1.5)
    facts = {}
    run = PlanRun(PLAN, short)
    for segment in run.intermediate:
        facts[segment.name] = short.store.manifest(segment.signature)["facts"].get("micro_batch")
    trainings = facts_of(short.store, run.score_file).trainings
    for segment in run.targets:  # retrieval trains nothing and leaves no note of it
        facts[segment.name] = trainings.get(segment.signature, {}).get("micro_batch")
    assert facts == {
        "intermediate/0": {"restate": 2, "marks": 2},
        "target/nli": {"nli": 2},
        "target/retrieval": None,
    }


def test_finished_plans_leave_none_of_their_models_behind(tiny_lab, tmp_path):
    context = open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), str(tmp_path / "store"))
    early = gc.get_freeze_count()
    memory.settle()  # as a worker does, which collects after every part
    gc.disable()  # and makes few new objects
    counts = []
    try:
        for seed in range(3):
            run_plan(dataclasses.replace(PLAN, seed=seed), context)
            counts.append(sum(issubclass(type(one), PreTrainedModel) for one in gc.get_objects()))
    finally:
        gc.enable()
        if not early:
            gc.unfreeze()
    assert counts == counts[:1] * 3
