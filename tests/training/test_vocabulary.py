"""Training the rows that are used, and decaying the others later, is dense AdamW to the bit."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from tasksearch.core.plan import TrainSettings
from tasksearch.models.heads import make_head
from tasksearch.phases.context import open_context
from tasksearch.tasks.encode import select
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.training import loop, optimizer
from tasksearch.training.curves import Curve
from tasksearch.training.learner import TABLE as NAME
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.loop import Saving, train_segment
from tasksearch.training.order import StepItems
from tasksearch.training.vocabulary import rows_of

SUITE = lab_suite()
HOW = TrainSettings(batch_size=4, learning_rate=1e-3, weight_decay=0.1)


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


def new_learner(context):
    model = copy.deepcopy(context.pretrained.model)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.1
    cards = (SUITE.card("restate"), SUITE.card("find"))
    heads = {
        card.name: make_head(card.kind, card.name, len(card.labels) or 2, hidden_size=64, features="cls", dropout=0.1, seed=0)
        for card in cards
    }
    return Learner(model=model, heads=nn.ModuleDict(heads), specials=context.specials, device=context.device)


def task(context, name, first=0, last=12):
    return TrainingTask(items=select(context.source.training(SUITE.card(name), 64), np.arange(first, last)), head=name)


def steps_of(name, count, items=12):
    return [StepItems(parts=((name, (np.arange(4) + 4 * n) % items),)) for n in range(count)]


def dense(monkeypatch):
    monkeypatch.setattr(loop, "rows_of", lambda *_: None)


def tensors(learner):
    found = dict(learner.model.state_dict()) | {f"head {n}": t for n, t in learner.heads.state_dict().items()}
    return {name: tensor.clone() for name, tensor in found.items()}


def assert_equal(first, second):
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def in_full(state, size):
    """The state as dense AdamW would have it."""
    full = {name: tensor for name, tensor in state.items() if not name.endswith("/rows")}
    if f"{NAME}/rows" in state:
        for key in ("exp_avg", "exp_avg_sq"):
            full[f"{NAME}/{key}"] = torch.zeros(size, 64).index_copy(0, state[f"{NAME}/rows"], state[f"{NAME}/{key}"])
    return full


@pytest.mark.parametrize("clip", [1e-3, 1e9])
def test_five_hundred_steps_are_those_of_dense_adamw_to_the_bit(context, monkeypatch, clip):
    how, found, norms = dataclasses.replace(HOW, max_grad_norm=clip, learning_rate=1e-4), [], []
    real = loop.clip_gradient
    monkeypatch.setattr(loop, "clip_gradient", lambda *given: norms.append(real(*given)) or norms[-1])
    for whole in (False, True):
        ours, losses = new_learner(context), []
        if whole:
            dense(monkeypatch)
        state = train_segment(
            ours, {"restate": task(context, "restate")}, steps_of("restate", 500), how, Curve(total=500),
            randomness="x", on_step=lambda _, loss, kept=losses: kept.append(loss),
        )  # fmt: skip
        found.append((losses, tensors(ours), in_full(state, ours.model.config.vocab_size)))
        assert (f"{NAME}/rows" in state) != whole
    assert found[0][0] == found[1][0] and norms[:500] == norms[500:]
    assert_equal(found[0][1], found[1][1])
    assert_equal(found[0][2], found[1][2])
    clipped = sum(float(norm) > clip for norm in norms[:500])
    assert clipped > 400 if clip < 1 else clipped == 0
    before = context.pretrained.model.state_dict()["roberta.embeddings.word_embeddings.weight"]
    after, rows = found[0][1]["roberta.embeddings.word_embeddings.weight"], state_rows(context)
    untouched = np.setdiff1d(np.arange(len(before)), rows)
    assert len(rows) < len(before) / 2 and not torch.equal(after[untouched], before[untouched]), "they decayed"


def state_rows(context):
    return rows_of(new_learner(context), {"restate": task(context, "restate")}, steps_of("restate", 500), {})


def test_two_segments_of_other_texts_carry_moments_as_dense_adamw_does(context, monkeypatch):
    found = []
    for whole in (False, True):
        ours, state = new_learner(context), {}
        if whole:
            dense(monkeypatch)
        for name in ("restate", "find", "restate"):
            first = 12 if state else 0
            state = train_segment(
                ours, {name: task(context, name, first, first + 12)}, steps_of(name, 30), HOW, Curve(total=30),
                randomness=name, optimizer_state=state,
            )  # fmt: skip
        found.append((tensors(ours), in_full(state, ours.model.config.vocab_size)))
    assert_equal(found[0][0], found[1][0])
    assert_equal(found[0][1], found[1][1])


def test_moments_go_into_an_mlm_segment_and_come_out_of_one(context, monkeypatch):
    def mlm(first):
        items = dataclasses.replace(task(context, "restate", first, first + 12).items, kind="mlm")
        return TrainingTask(items=items, head=None)

    found = []
    for whole in (False, True):
        ours, state = new_learner(context), {}
        if whole:
            dense(monkeypatch)
        for name, made in (("find", task(context, "find")), ("mlm", mlm(12)), ("restate", task(context, "restate"))):
            state = train_segment(
                ours, {name: made}, steps_of(name, 10), HOW, Curve(total=10), randomness=name, optimizer_state=state
            )
            assert (f"{NAME}/rows" in state) == (name == "find" and not whole), "after MLM the whole table has moments"
        found.append((tensors(ours), in_full(state, ours.model.config.vocab_size)))
    assert_equal(found[0][0], found[1][0])
    assert_equal(found[0][1], found[1][1])


def test_a_snapshot_holds_the_full_table_and_the_run_goes_on_from_it_to_the_bit(context, monkeypatch):
    def run(how_far, begin=None, saving=None):
        ours = new_learner(context)
        if begin:
            ours.model.load_state_dict(begin["model"])
            ours.heads.load_state_dict(begin["heads"])
        state = train_segment(
            ours, {"restate": task(context, "restate")}, steps_of("restate", 40), HOW, Curve(total=40), randomness="x",
            optimizer_state=begin and begin["state"], first=how_far, saving=saving and saving(ours),
        )  # fmt: skip
        return ours, state

    snapshots = []

    def saving(ours):
        def save(step, state):
            parts = {"model": ours.model.state_dict(), "heads": ours.heads.state_dict(), "state": state}
            snapshots.append({"step": step} | copy.deepcopy(parts))

        return Saving(save=save, every_steps=15)

    undisturbed, end = run(0)
    whole, other_end = run(0, saving=saving)
    assert [one["step"] for one in snapshots] == [15, 30]
    resumed, last = run(15, snapshots[0])
    for ours, state in ((whole, other_end), (resumed, last)):
        assert_equal(tensors(undisturbed), tensors(ours))
        assert_equal(end, state)
    dense(monkeypatch)
    kept = snapshots.copy()
    run(0, saving=saving)
    for compact, full in zip(kept, snapshots[2:], strict=True):
        assert_equal(dict(compact["model"]), dict(full["model"]))
        assert_equal(in_full(compact["state"], len(compact["model"]["lm_head.decoder.weight"])), full["state"])


def test_rows_are_those_of_the_segments_texts_and_of_the_moments_before_it(context):
    ours, tasks = new_learner(context), {"restate": task(context, "restate")}
    rows = rows_of(ours, tasks, steps_of("restate", 3), {})
    assert set(rows.tolist()) == {*tasks["restate"].items.tokens.flat.tolist(), *ours.specials.template.ids, ours.specials.pad}
    fewer = rows_of(ours, tasks, steps_of("restate", 1), {})
    assert set(fewer) < set(rows), "items that no step shows train nothing"
    earlier = {f"{NAME}/rows": torch.tensor([700, 701]), f"{NAME}/exp_avg": torch.zeros(2, 64)}
    assert set(rows_of(ours, tasks, steps_of("restate", 1), earlier)) == {*fewer, 700, 701}
    assert rows_of(ours, tasks, steps_of("restate", 1), {f"{NAME}/exp_avg": torch.zeros(900, 64)}) is None
    ours.model.tasksearch_family = dataclasses.make_dataclass("Own", ["stock"])(False)
    assert rows_of(ours, tasks, steps_of("restate", 1), {}) is None, "an encoder of the user's own may read its table anywhere"


def test_the_tie_to_the_mlm_head_stays(context):
    ours = new_learner(context)
    train_segment(ours, {"restate": task(context, "restate")}, steps_of("restate", 3), HOW, Curve(total=3), randomness="x")
    table = ours.model.get_input_embeddings().weight
    assert ours.model.lm_head.decoder.weight is table and table.requires_grad
    assert type(ours.model.get_input_embeddings()) is nn.Embedding


def test_the_norm_does_not_see_rows_of_zeros():
    draw = torch.Generator().manual_seed(0)
    for size in (1, 7, 300):
        some, rest = torch.randn(size, 48, generator=draw), [torch.randn(9, 5, generator=draw)]
        for most in (size, 20_000):
            full = torch.zeros(most, 48)
            full[torch.randperm(most, generator=draw)[:size].sort().values] = some
            assert torch.equal(optimizer._norm([full, *rest], full), optimizer._norm([some, *rest], some))
        plain = torch.linalg.vector_norm(torch.cat([some.flatten(), rest[0].flatten()]).double())
        assert float(optimizer._norm([some, *rest], some)) == pytest.approx(float(plain), rel=1e-6)
