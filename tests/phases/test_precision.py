"""bf16 autocast, on a CPU here: fp32 weights, close to fp32 in loss, and another segment under another name."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.models.heads import make_head
from tasksearch.phases.context import open_context
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.training.curves import Curve
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.loop import train_segment
from tasksearch.training.order import StepItems

SUITE = lab_suite()
TOLERANCE = 0.02
"""Relative, of one step's loss. A bf16 number is right to 2^-9 = 0.2 %; some ten roundings lie one behind the other in two
layers and a head: 2 % is all of them of one sign. Measured over five steps (torch 2.13, AVX2): 0.03 to 0.33 %."""


def settings(precision):
    changed = {"precision": precision, "batch_size": 8}
    return dataclasses.replace(
        SUITE.settings,
        intermediate=dataclasses.replace(SUITE.settings.intermediate, **changed),
        target=dataclasses.replace(SUITE.settings.target, steps=4, **changed),
        target_overrides=(),
    )


def plan(precision):
    mix = Schedule.joint(Mixture.uniform("restate", "find", "sort", "senses"), 8)
    targets = ("nli", "qa", "retrieval", "tag", "topic")
    return Plan(suite="lab", schedule=mix, targets=targets, languages=("en", "near1"), settings=settings(precision))


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


def losses(context, card, precision):
    """Loss of five steps, from the same weights on the same examples; the weights afterwards."""
    outputs = {"choice": 1, "span": 2}.get(card.kind, len(card.labels))
    head = make_head(card.kind, "h", outputs, hidden_size=64, features="pair-diff", dropout=0.0, seed=0)
    model, told = copy.deepcopy(context.pretrained.model), []
    learner = Learner(model=model, heads=nn.ModuleDict({"h": head}), specials=context.specials, device=context.device)
    steps = [StepItems(parts=((card.name, np.arange(8 * n, 8 * n + 8)),)) for n in range(5)]
    task = TrainingTask(items=context.source.training(card, 128), head="h")
    how, curve = settings(precision).intermediate, Curve(total=5, warmup=0.1)
    train_segment(learner, {card.name: task}, steps, how, curve, randomness="x", on_step=lambda _, loss: told.append(loss))
    return np.array(told), [*model.parameters(), *head.parameters()]


@pytest.mark.parametrize("name", ["restate", "sort", "find", "senses"])
def test_five_steps_in_bf16_are_close_to_fp32_and_keep_fp32_weights(context, name):
    full, _ = losses(context, SUITE.card(name), "fp32")
    half, weights = losses(context, SUITE.card(name), "bf16")
    assert np.isfinite(half).all()
    assert np.abs(half / full - 1).max() < TOLERANCE
    assert not np.array_equal(half, full), "autocast was on"
    assert all(p.dtype == torch.float32 and bool(torch.isfinite(p).all()) for p in weights)


def test_a_whole_plan_in_bf16_scores_every_cell_near_fp32_and_repeats(context):
    half, again, full = (run_plan(plan(precision), context) for precision in ("bf16", "bf16", "fp32"))
    assert set(half.outcomes) == set(full.outcomes)
    for cell, table in half.outcomes.items():
        assert np.isfinite(table).all() and np.array_equal(table, again.outcomes[cell])
        assert np.array_equal(table[:, 1], full.outcomes[cell][:, 1]), "the same examples"
    values = [[score.value for score in result.scores] for result in (half, full)]
    assert all(0 <= value <= 100 for value in values[0])
    assert np.mean(np.abs(np.subtract(*values))) < 10, "20 examples a cell: two answers of difference on average"


def test_another_precision_is_another_segment(context):
    half, full = (PlanRun(plan(precision), context) for precision in ("bf16", "fp32"))
    names = [{s.signature for s in run.intermediate} | {n for s in run.targets for n in s.signatures} for run in (half, full)]
    assert not names[0] & names[1]
    only_scored = [dataclasses.replace(plan(p), schedule=Schedule.none(), targets=("retrieval",)) for p in ("bf16", "fp32")]
    first, second = (PlanRun(p, context).targets[0].tables for p in only_scored)
    assert not set(first) & set(second), "evaluation runs under it too"
