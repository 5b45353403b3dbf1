"""AdamW as the settings say: what decays, one clip per optimiser step, and the learning rate at the ends of its curve."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan, TrainSettings
from tasksearch.core.schedule import Schedule
from tasksearch.phases.context import open_context
from tasksearch.phases.heads import fresh_head
from tasksearch.phases.run import PlanRun
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.training import loop
from tasksearch.training.curves import Curve
from tasksearch.training.order import StepItems

SUITE = lab_suite()


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


def learner(context):
    heads = nn.ModuleDict({"restate": fresh_head(SUITE.card("restate"), "restate", plan(Schedule.none()), context)})
    import copy

    model = copy.deepcopy(context.pretrained.model)
    return loop.Learner(model=model, heads=heads, specials=context.specials, device=context.device)


def plan(schedule, **changes):
    how = dataclasses.replace(SUITE.settings.intermediate, batch_size=8, **changes)
    settings = dataclasses.replace(SUITE.settings, intermediate=how)
    return Plan(suite="lab", schedule=schedule, targets=("retrieval",), languages=("en", "near1"), settings=settings)


def test_weights_decay_and_biases_and_layer_norms_do_not(context):
    ours = learner(context)
    optimizer = loop.make_optimizer(ours, TrainSettings(weight_decay=0.5, learning_rate=0.1, head_lr_factor=3.0))
    before = {name: p.detach().clone() for name, p in ours.named_parameters()}
    for _, parameter in ours.named_parameters():
        parameter.grad = torch.zeros_like(parameter)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"]
    optimizer.step()
    kept = {name for name, p in ours.named_parameters() if torch.equal(p, before[name])}
    assert kept == {name for name in before if name.endswith("bias") or "LayerNorm" in name or "layer_norm" in name}
    for name, parameter in ours.named_parameters():
        if name not in kept:  # a zero gradient leaves the decay alone: w (1 - rate · decay)
            rate = 0.3 if name.startswith("heads.") else 0.1
            assert torch.allclose(parameter, before[name] * (1 - rate * 0.5), rtol=1e-6, atol=0), name
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(before), "every parameter once"


@pytest.mark.parametrize("micro", [None, 1, 3])
def test_one_clip_per_optimiser_step_however_many_forward_passes(context, monkeypatch, micro):
    clips, norms, real = [], [], loop.clip_gradient

    def spy(trained, most):
        clips.append(float(real(trained, most)))
        parameters = [p for _, p in trained.named_parameters()]
        norms.append(torch.sqrt(sum((p.grad**2).sum() for p in parameters if p.grad is not None)).item())
        return torch.tensor(clips[-1])

    monkeypatch.setattr(loop, "clip_gradient", spy)
    ours = learner(context)
    task = loop.TrainingTask(items=context.source.training(SUITE.card("restate"), 128), head="restate")
    steps = [StepItems(parts=(("restate", np.arange(8 * n, 8 * n + 8)),)) for n in range(4)]
    how = TrainSettings(batch_size=8, micro_batch_size=micro, max_grad_norm=0.01)
    loop.train_segment(ours, {"restate": task}, steps, how, Curve(total=4), randomness="x")
    assert len(clips) == 4 and min(clips) > 0.01, "there was something to clip"
    assert norms == pytest.approx([0.01] * 4, rel=1e-3)


def rates(context, monkeypatch, policy, schedule):
    """(encoder's rate, heads' rate) of every step of the intermediate phase, stage after stage."""
    told, real = [], loop.make_optimizer

    def spied(ours, settings, *compact):
        optimizer = real(ours, settings, *compact)
        told.append([])
        step = optimizer.step

        def watched(*arguments, **options):
            of = {group["peak"]: group["lr"] for group in optimizer.param_groups}
            told[-1].append((of[settings.learning_rate], of[settings.learning_rate * settings.head_lr_factor]))
            return step(*arguments, **options)

        optimizer.step = watched
        return optimizer

    monkeypatch.setattr(loop, "make_optimizer", spied)
    changes = {"lr_policy": policy, "warmup": 0.25, "learning_rate": 1e-3, "head_lr_factor": 5.0}
    run = PlanRun(plan(schedule, **changes), context)
    for part in run.parts[:-1]:
        run.run(part)
    return told


def test_under_the_phase_policy_one_curve_rises_and_falls_over_all_stages(context, monkeypatch):
    first, second = rates(context, monkeypatch, "phase", Schedule.sequential([("restate", 4), ("find", 4)]))
    encoder = [pair[0] for pair in (*first, *second)]
    # warmup over 2 of 8 steps: half, whole; then 6/6 … 1/6 of the way down
    assert encoder == pytest.approx([1e-3 * x for x in (1 / 2, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6)])
    assert [pair[1] for pair in (*first, *second)] == pytest.approx([5 * rate for rate in encoder])


def test_under_the_stage_policy_each_stage_rises_and_falls(context, monkeypatch):
    first, second = rates(context, monkeypatch, "stage", Schedule.sequential([("restate", 4), ("find", 8)]))
    assert [pair[0] for pair in first] == pytest.approx([1e-3 * x for x in (1, 1, 2 / 3, 1 / 3)])
    assert [pair[0] for pair in second] == pytest.approx([1e-3 * x for x in (1 / 2, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6)])


def test_one_stage_is_the_same_curve_under_both(context, monkeypatch):
    joint = Schedule.joint(Mixture.uniform("restate", "find"), 6)
    [phase] = rates(context, monkeypatch, "phase", joint)
    monkeypatch.undo()
    [stage] = rates(context, monkeypatch, "stage", joint)
    assert phase == stage
