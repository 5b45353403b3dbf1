"""A step cut by memory is the step as it was asked for: same examples, same dropout masks, same gradient."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tasksearch.core.errors import TrainingFailed
from tasksearch.core.plan import TrainSettings
from tasksearch.forward import passes
from tasksearch.forward.dropout import RowRange, StepDropout
from tasksearch.models.heads import make_head
from tasksearch.phases.context import open_context
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.training import accumulate, probe
from tasksearch.training.curves import Curve
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.loop import train_segment
from tasksearch.training.micro import MicroSizes
from tasksearch.training.order import StepItems

SUITE = lab_suite()
KINDS = ("restate", "sort", "find", "senses", "mlm")
HOW = TrainSettings(batch_size=8, learning_rate=1e-3)


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


@pytest.fixture
def learner(context):
    """The lab's encoder with XLM-R's dropout in every place that has one."""
    model = copy.deepcopy(context.pretrained.model)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.1
    for layer in model.roberta.encoder.layer:
        layer.attention.self.dropout.p = 0.1
    heads = nn.ModuleDict({name: head(context, SUITE.card(name)) for name in KINDS if name != "mlm"})
    model.train(), heads.train()
    return Learner(model=model, heads=heads, specials=context.specials, device=context.device)


def head(context, card):
    outputs = {"choice": 1, "span": 2}.get(card.kind, len(card.labels))
    return make_head(
        card.kind, card.name, outputs, hidden_size=context.pretrained.hidden_size, features="pair-diff", dropout=0.1, seed=0
    )


def task(context, name):
    if name == "mlm":
        return TrainingTask(
            items=dataclasses.replace(context.source.training(SUITE.card("restate"), 128), kind="mlm"), head=None
        )
    return TrainingTask(items=context.source.training(SUITE.card(name), 128), head=name)


def gradient(learner, tasks, step, micro, sizes=None):
    learner.clear_gradients()
    how = dataclasses.replace(HOW, micro_batch_size=micro)
    loss = accumulate.step_gradient(learner, tasks, step, how, "x", 3, sizes=sizes)
    return loss, torch.cat([p.grad.flatten() for _, p in learner.named_parameters() if p.grad is not None])


def some_items(context, name):
    """Eight items of unlike lengths, so that parts of the step are narrower than the step."""
    lengths = task(context, name).items.lengths
    order = np.argsort(lengths, kind="stable")
    return order[np.linspace(0, len(order) - 1, 8).astype(int)]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("micro", [1, 3, 4])
def test_however_a_step_is_cut_its_gradient_is_the_uncut_steps(context, learner, name, micro):
    tasks, step = {name: task(context, name)}, StepItems(parts=((name, some_items(context, name)),))
    loss, whole = gradient(learner, tasks, step, None)
    cut_loss, cut = gradient(learner, tasks, step, micro)
    assert abs(cut_loss - loss) < 1e-5 and torch.allclose(cut, whole, rtol=0, atol=1e-5)


def test_the_masks_are_worth_the_trouble(context, learner):
    tasks = {"restate": task(context, "restate")}
    steps = [StepItems(parts=(("restate", some_items(context, "restate")),))]
    how = [accumulate.step_gradient(learner, tasks, steps[0], HOW, "x", number) for number in (3, 4)]
    assert abs(how[0] - how[1]) > 1e-3, "another step draws other masks, which changes the loss well beyond 1e-5"


def short_of_memory(monkeypatch, most):
    """A device that holds `most` sequences at a time."""
    tried, real = [], passes.loss_sum

    def loss_sum(model, head, batch, specials):
        tried.append(len(batch.ids))
        if len(batch.ids) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(model, head, batch, specials)

    monkeypatch.setattr(accumulate, "loss_sum", loss_sum)
    return tried


def test_memory_that_is_short_halves_the_micro_batch_and_nothing_else(context, learner, monkeypatch):
    tasks = {name: task(context, name) for name in ("restate", "senses")}
    step = StepItems(parts=(("restate", some_items(context, "restate")), ("senses", some_items(context, "senses"))))
    loss, whole = gradient(learner, tasks, step, None)
    tried, sizes = short_of_memory(monkeypatch, 2), MicroSizes()
    cut_loss, cut = gradient(learner, tasks, step, None, sizes)
    assert abs(cut_loss - loss) < 1e-5 and torch.allclose(cut, whole, rtol=0, atol=1e-5)
    assert sizes.used == {"restate": 2, "senses": 2}, "what the manifest says"
    tried.clear()
    gradient(learner, tasks, step, None, sizes)
    assert set(tried) == {2}, "what was learnt once is not tried again"


def test_a_whole_segment_short_of_memory_ends_where_the_undisturbed_one_does(context, learner, monkeypatch):
    tasks = {"restate": task(context, "restate")}
    steps = [StepItems(parts=(("restate", np.arange(8 * n, 8 * n + 8)),)) for n in range(4)]
    losses, trained = [], []
    for most in (8, 3):
        ours = dataclasses.replace(learner, model=copy.deepcopy(learner.model), heads=copy.deepcopy(learner.heads))
        short_of_memory(monkeypatch, most)
        train_segment(ours, tasks, steps, HOW, Curve(total=4), randomness="x", on_step=lambda _, loss: losses.append(loss))
        trained.append(torch.cat([p.detach().flatten() for _, p in ours.named_parameters()]))
        monkeypatch.undo()
    start = torch.cat([p.detach().flatten() for _, p in learner.named_parameters()])
    assert losses[:4] == pytest.approx(losses[4:], abs=1e-5) and losses[0] != losses[3]
    # AdamW makes a whole step of a gradient that is nothing but rounding: single weights differ, the way does not
    assert (trained[0] - trained[1]).norm() < 0.01 * (trained[0] - start).norm()


def test_memory_too_short_for_one_example_fails_the_trial_in_one_line(context, learner, monkeypatch):
    short_of_memory(monkeypatch, 0)
    step = StepItems(parts=(("restate", np.arange(8)),))
    with pytest.raises(TrainingFailed, match=r"out of memory with one example of 'restate' at a time.*256"):
        accumulate.step_gradient(learner, {"restate": task(context, "restate")}, step, HOW, "x", 0)


def test_other_errors_are_not_taken_for_a_lack_of_memory(context, learner, monkeypatch):
    def broken(*_):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(accumulate, "loss_sum", broken)
    step = StepItems(parts=(("restate", np.arange(8)),))
    with pytest.raises(RuntimeError, match="shapes"):
        accumulate.step_gradient(learner, {"restate": task(context, "restate")}, step, HOW, "x", 0)


def test_the_size_is_probed_once_and_kept_for_later_processes(context, learner, monkeypatch, tmp_path):
    monkeypatch.setenv("TASKSEARCH_CACHE", str(tmp_path))
    tried, tasks = short_of_memory(monkeypatch, 4), {"restate": task(context, "restate")}
    sizes = MicroSizes()
    probe.probe(learner, tasks, HOW, sizes)
    assert sizes.most == {"restate": 4} and sizes.used == {} and tried[:2] == [8, 4]
    assert all(p.grad is None for _, p in learner.named_parameters()), "the probe leaves no gradient behind"
    tried.clear()
    later = MicroSizes()
    probe.probe(learner, tasks, HOW, later)
    assert later.most == {"restate": 4} and not tried


@given(rows=st.integers(2, 9), at=st.integers(1, 8), p=st.floats(0.05, 0.9), seed=st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_a_part_of_a_dropout_mask_is_that_part_of_torchs_own(rows, at, p, seed):
    at = min(at, rows - 1)
    x = torch.randn(rows, 3, 5)
    torch.manual_seed(seed)
    whole = nn.functional.dropout(x, p, True)
    parts = []
    for first, last in ((0, at), (at, rows)):
        torch.manual_seed(seed)
        with StepDropout(RowRange(first=first, last=last, total=rows)):
            parts.append(nn.functional.dropout(x[first:last], p, True))
    assert torch.allclose(torch.cat(parts), whole, rtol=1e-6)
