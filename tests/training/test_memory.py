"""Short of memory on a CPU, activations are computed twice: the same bits, less memory."""

import copy
import dataclasses
import gc
import threading
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from tasksearch.core.plan import TrainSettings
from tasksearch.forward import memory
from tasksearch.models.heads import make_head
from tasksearch.phases.checkpoints import CheckpointPolicy, saving
from tasksearch.phases.context import open_context
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.training.accumulate import step_gradient
from tasksearch.training.curves import Curve
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.loop import Saving, train_segment
from tasksearch.training.micro import MicroSizes
from tasksearch.training.order import StepItems

SUITE = lab_suite()
HOW = TrainSettings(batch_size=8, learning_rate=1e-3)


@pytest.fixture(scope="module")
def parts(tiny_lab):
    context = open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)
    model = copy.deepcopy(context.pretrained.model)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.1
    card = SUITE.card("restate")
    head = make_head(card.kind, card.name, 3, hidden_size=context.pretrained.hidden_size, features="cls", dropout=0.1, seed=0)
    task = TrainingTask(items=context.source.training(card, 128), head="restate")
    learner = Learner(model=model, heads=nn.ModuleDict({"restate": head}), specials=context.specials, device=context.device)
    return learner, {"restate": task}


def own(learner):
    return dataclasses.replace(learner, model=copy.deepcopy(learner.model), heads=copy.deepcopy(learner.heads))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("micro", [None, 3], ids=["whole", "cut"])
def test_a_segment_with_little_memory_is_bit_equal_to_one_with_much(parts, precision, micro, monkeypatch):
    learner, tasks = parts
    how = dataclasses.replace(HOW, precision=precision, micro_batch_size=micro)
    steps = [StepItems(parts=(("restate", np.arange(8 * n, 8 * n + 8)),)) for n in range(3)]
    twice, real = [], torch.utils.checkpoint.checkpoint
    trained = []
    for most in (None, 1):
        ours = own(learner)
        state = train_segment(ours, tasks, steps, how, Curve(total=3), randomness="x", sizes=MicroSizes(memory=most))
        trained.append({n: p.detach() for n, p in ours.named_parameters()} | state)
        monkeypatch.setattr(torch.utils.checkpoint, "checkpoint", lambda *a, **k: (twice.append(1), real(*a, **k))[1])
    assert trained[0].keys() == trained[1].keys()
    assert all(torch.equal(trained[0][name], trained[1][name]) for name in trained[0])
    layers = learner.model.config.num_hidden_layers
    assert len(twice) == 3 * layers * (1 if micro is None else 3), "each block of each forward pass, with little memory alone"


@pytest.mark.parametrize("held", [0, 1 << 50])
def test_a_snapshot_that_is_being_written_takes_its_bytes_from_the_activations(parts, held, monkeypatch):
    learner, tasks = parts
    steps = [StepItems(parts=(("restate", np.arange(8 * n, 8 * n + 8)),)) for n in range(3)]
    saved, twice, real = [], [], torch.utils.checkpoint.checkpoint
    monkeypatch.setattr(torch.utils.checkpoint, "checkpoint", lambda *a, **k: (twice.append(len(saved)), real(*a, **k))[1])
    saver = Saving(save=lambda step, _: saved.append(step), every_steps=1, held=lambda: held if len(saved) == 1 else 0)
    sizes = MicroSizes(memory=1 << 40)
    train_segment(own(learner), tasks, steps, HOW, Curve(total=3), randomness="x", sizes=sizes, saving=saver)
    layers = learner.model.config.num_hidden_layers
    assert saved == [1, 2] and twice == ([1] * layers if held else []), "the second step alone, while the copy is there"


def test_a_copied_state_counts_until_it_is_written(tmp_path, monkeypatch):
    store, go_on = SegmentStore(tmp_path), threading.Event()
    put = store.put
    monkeypatch.setattr(store, "put", lambda *args: (go_on.wait(60), put(*args))[1])
    tables = {"model": {"w": torch.zeros(300)}, "heads": {"h": torch.zeros(20)}}
    saver = saving(store, "abcd", CheckpointPolicy(every_steps=1), lambda: tables, lambda: 0.0, "x")
    assert saver.held() == 0
    saver.save(1, {"w/exp_avg": torch.zeros(300), "w/exp_avg_sq": torch.zeros(300)})
    assert saver.held() == 4 * 920
    go_on.set()
    saver.finish()
    assert saver.held() == 0 and len(store.snapshots("abcd")) == 1


def test_a_step_that_fits_computes_nothing_twice(parts, monkeypatch):
    learner, tasks = parts
    monkeypatch.setattr(torch.utils.checkpoint, "checkpoint", lambda *_, **__: pytest.fail("computed again"))
    step = StepItems(parts=(("restate", np.arange(8)),))
    shape = (8, int(tasks["restate"].items.lengths[:8].max()))
    room = memory.activation_bytes(learner.model.config, *shape)
    learner.model.train()
    step_gradient(learner, tasks, step, HOW, "x", 0, sizes=MicroSizes(room=room))


def test_the_estimate_is_what_autograd_keeps(parts):
    learner, _ = parts
    ids = torch.randint(5, 50, (4, 60))
    learner.model.train()
    kept = {}

    def note(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    weights = {p.untyped_storage().data_ptr() for p in learner.model.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        learner.model.base_model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.sum()
    real = sum(size for place, size in kept.items() if place not in weights)
    assert 0.8 * real < memory.activation_bytes(learner.model.config, 4, 60) < 2.5 * real


def test_room_is_what_is_left_beside_the_process_and_the_optimiser():
    most = memory.psutil.Process().memory_info().rss + (1 << 30)
    room = memory.room_for_activations(most, 1_000_000)
    assert 0.5 * (1 << 30) < room < most - 12_000_000
    assert memory.room_for_activations(1, 1_000_000) == 0


def test_what_a_worker_has_loaded_is_left_out_of_collections_and_what_comes_later_is_not():
    class Part:
        pass

    early = gc.get_freeze_count()
    gc.unfreeze()  # a test before this one in the same process may have run a worker's part
    memory.settle()
    try:
        known = gc.get_freeze_count()
        assert known and len(gc.get_objects()) < known / 10
        memory.settle()
        assert gc.get_freeze_count() <= known, "once: no model of a later part is among them"
        part = Part()
        part.itself, gone = part, weakref.ref(part)
        del part
        memory.release(0.0)
        assert gone() is None
    finally:
        if not early:
            gc.unfreeze()


def test_outside_a_worker_only_a_long_part_is_worth_a_collection(monkeypatch):
    collected = []
    monkeypatch.setattr(memory.gc, "collect", lambda: collected.append(True))
    monkeypatch.setattr(memory.gc, "get_freeze_count", lambda: 0)
    memory.release(2.0)
    assert not collected
    memory.release(120.0)
    assert len(collected) == 1
