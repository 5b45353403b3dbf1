"""Perturbed embeddings stay in the ball and raise the loss, noise has its variance, and a step cut or killed is the same."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from tasksearch.core.methods import Adversarial, Smoothing
from tasksearch.core.plan import TrainSettings
from tasksearch.forward.batches import collate
from tasksearch.forward.passes import loss_sum
from tasksearch.forward.shift import shifted
from tasksearch.models.heads import make_head
from tasksearch.phases.context import open_context
from tasksearch.tasks.encode import select
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.training.accumulate import step_gradient
from tasksearch.training.curves import Curve
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.loop import Saving, train_segment
from tasksearch.training.methods.adversarial import perturbation
from tasksearch.training.methods.part import StepPart
from tasksearch.training.methods.smoothing import with_noise
from tasksearch.training.micro import MicroSizes
from tasksearch.training.order import StepItems

SUITE = lab_suite()
METHODS = ("adversarial:epsilon=0.3,steps=2", "smoothing:sigma=0.3")
HOW = TrainSettings(batch_size=8, learning_rate=1e-3)


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


@pytest.fixture
def learner(context):
    model = copy.deepcopy(context.pretrained.model)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.1
    outputs = {name: 2 if name == "find" else max(1, len(SUITE.card(name).labels)) for name in ("restate", "find", "senses")}
    heads = {
        name: make_head(SUITE.card(name).kind, name, count, hidden_size=64, features="cls", dropout=0.1, seed=0)
        for name, count in outputs.items()
    }
    made = Learner(model=model, heads=nn.ModuleDict(heads), specials=context.specials, device=context.device)
    made.model.train(), made.heads.train()
    return made


def task(context, name):
    return TrainingTask(items=select(context.source.training(SUITE.card(name), 64), np.arange(16)), head=name)


def part_and_loss(learner, context, rows=None):
    """A step of eight items, its part, and the part's loss with the same dropout each time."""
    whole = collate(task(context, "restate").items, np.arange(8), learner.specials)
    first, last = rows or (0, 8)
    part = StepPart(
        model=learner.model, specials=learner.specials, whole=whole.ids, first=first, last=last, seed=5
    )  # fmt: skip

    def loss(shift):
        torch.manual_seed(0)
        with shifted(learner.model, shift):
            return loss_sum(learner.model, learner.heads["restate"], whole.part(first, last), learner.specials)

    return part, loss


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("epsilon", [0.02, 0.2])
def test_the_perturbation_stays_in_the_ball_and_raises_the_loss(learner, context, steps, epsilon):
    part, loss = part_and_loss(learner, context)
    delta = perturbation(Adversarial(epsilon=epsilon, steps=steps), loss, part)
    table = learner.model.get_input_embeddings().weight
    text = ~torch.isin(part.whole, torch.tensor([*learner.specials.template.ids, learner.specials.pad]))
    mean = table[part.whole[text]].norm(dim=1).mean()
    norms = delta.norm(dim=-1)
    assert torch.allclose(part.mean_norm, mean)
    assert norms.max() <= epsilon * mean * (1 + 1e-5), "no token leaves its ball"
    assert (norms[text] > 0.5 * epsilon * mean).all() and not norms[~text].any(), "every word moves, no special piece"
    there, towards, away = (float(loss(shift).detach()) for shift in (torch.zeros_like(delta), delta, -delta))
    assert towards > there > away


def test_more_steps_of_ascent_find_no_lower_loss(learner, context):
    part, loss = part_and_loss(learner, context)
    found = [float(loss(perturbation(Adversarial(epsilon=0.5, steps=steps), loss, part)).detach()) for steps in (1, 8)]
    assert found[1] > found[0]


def test_noise_has_its_variance_and_no_mean(learner, context):
    part, _ = part_and_loss(learner, context)
    seen = []
    draws = [dataclasses.replace(part, seed=seed) for seed in range(40)]
    for one in draws:
        with_noise(Smoothing(sigma=0.3), seen.append, one)(None)
    text = draws[0].content.squeeze(-1)
    noise = torch.stack([shift[text] for shift in seen])
    wanted = float(0.3 * part.mean_norm) ** 2 / 64
    count = noise.numel()
    assert abs(float(noise.var()) / wanted - 1) < 4 * (2 / count) ** 0.5
    assert abs(float(noise.mean())) < 4 * (wanted / count) ** 0.5
    assert float(noise.norm(dim=-1).pow(2).mean()) == pytest.approx(float(0.3 * part.mean_norm) ** 2, rel=0.02)
    assert not any(shift[~text].any() for shift in seen), "special pieces and padding stay where they are"
    assert abs(float(torch.corrcoef(noise.flatten(1)).fill_diagonal_(0).abs().max())) < 0.1, "each step draws its own"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["restate", "find", "senses"])
def test_a_step_cut_by_memory_is_the_step_with_its_method(learner, context, method, name):
    tasks, step, found = {name: task(context, name)}, StepItems(parts=((name, np.arange(8)),)), []
    for micro, methods in ((None, (method,)), (3, (method,)), (None, ())):
        learner.clear_gradients()
        how = dataclasses.replace(HOW, micro_batch_size=micro, methods=methods)
        loss = step_gradient(learner, tasks, step, how, "x", 3)
        found.append((float(loss), torch.cat([p.grad.flatten() for _, p in learner.named_parameters() if p.grad is not None])))
    (whole, gradient), (cut, same), (_, other) = found
    assert abs(whole - cut) < 1e-5 and (gradient - same).norm() < 1e-4 * gradient.norm()
    assert (gradient - other).norm() > 0.005 * gradient.norm(), "fifty times as far from the step without a method"


def test_killed_on_its_way_a_segment_ends_with_the_bits_of_an_undisturbed_one(learner, context):
    how = dataclasses.replace(HOW, methods=METHODS)
    tasks, steps = {"restate": task(context, "restate")}, [StepItems(parts=(("restate", np.arange(8) + n),)) for n in range(4)]
    ended, kept = [], {}

    def keep(step, state):
        kept.update(state=state, step=step, weights=copy.deepcopy((ours.model.state_dict(), ours.heads.state_dict())))

    ours = dataclasses.replace(learner, model=copy.deepcopy(learner.model), heads=copy.deepcopy(learner.heads))
    train_segment(ours, tasks, steps, how, Curve(total=4), randomness="x", saving=Saving(save=keep, every_steps=2))
    ended.append(ours)
    again = dataclasses.replace(learner, model=copy.deepcopy(learner.model), heads=copy.deepcopy(learner.heads))
    again.model.load_state_dict(kept["weights"][0]), again.heads.load_state_dict(kept["weights"][1])
    train_segment(again, tasks, steps, how, Curve(total=4), randomness="x", optimizer_state=kept["state"], first=kept["step"])
    ended.append(again)
    first, second = ([p.detach() for _, p in one.named_parameters()] for one in ended)
    assert kept["step"] == 2 and all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("method", METHODS)
def test_activations_computed_again_for_want_of_memory_change_no_bit(learner, context, method):
    tasks, step, found = {"restate": task(context, "restate")}, StepItems(parts=(("restate", np.arange(8)),)), []
    for room in (None, 1):
        learner.clear_gradients()
        step_gradient(learner, tasks, step, dataclasses.replace(HOW, methods=(method,)), "x", 3, sizes=MicroSizes(room=room))
        found.append({name: p.grad.clone() for name, p in learner.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys() and all(torch.equal(found[0][name], found[1][name]) for name in found[0])
