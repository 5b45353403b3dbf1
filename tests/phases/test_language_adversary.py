"""Language-adversarial training: the encoder gets a reversed gradient, and a killed segment goes on exactly."""

import copy
import dataclasses
import functools

import numpy as np
import pytest
import torch
from torch import nn

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.core.methods import LanguageAdversary, canonical_methods
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.space import sequential_twin
from tasksearch.models.heads import make_head
from tasksearch.phases import language_adversary
from tasksearch.phases.checkpoints import CheckpointPolicy
from tasksearch.phases.context import open_context
from tasksearch.phases.language_adversary import NAME, strength_at, with_adversary
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.store.segment_store import SegmentStore
from tasksearch.study.configuration import configure
from tasksearch.study.setup import check_methods
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.training.accumulate import step_gradient
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.order import StepItems

SUITE = lab_suite()


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


@pytest.fixture(scope="module")
def text(context, tmp_path_factory):
    """Sentences of the lab in two languages, twice as many in one."""
    folder = tmp_path_factory.mktemp("unlabelled")
    card = SUITE.card("topic")
    for language, count in (("en", 20), ("near1", 10)):
        rows = [e.text_a for portion in context.source.portions(card, language) for e in portion.examples][:count]
        (folder / f"{language}.txt").write_text("\n".join(rows) + "\n")
    return folder


def plan(text, methods=None):
    own, said = SUITE.settings, (f"languages:text={text},strength=1.0,sentences=8",) if methods is None else methods
    settings = dataclasses.replace(
        own,
        intermediate=dataclasses.replace(own.intermediate, batch_size=8, methods=said),
        target=dataclasses.replace(own.target, batch_size=8, steps=3, methods=said),
        target_overrides=(),
    )
    schedule = sequential_twin(Mixture.uniform("restate", "find"), ["find", "restate"], 4)
    return Plan(suite="lab", schedule=schedule, targets=("topic",), languages=("en", "near1"), settings=settings)


@pytest.fixture
def prepared(context, text):
    """A learner with its discriminator, its tasks, and ten steps of eight examples."""
    model = copy.deepcopy(context.pretrained.model)
    head = make_head("pair", "restate", len(SUITE.card("restate").labels), hidden_size=64, features="cls", dropout=0.0, seed=0)
    learner = Learner(model=model, heads=nn.ModuleDict({"restate": head}), specials=context.specials, device=context.device)
    tasks = {"restate": TrainingTask(items=context.source.training(SUITE.card("restate"), 64), head="restate")}
    steps = [StepItems(parts=(("restate", np.arange(8)),))] * 10
    settings = plan(text).settings.intermediate
    return learner, tasks, steps, settings, with_adversary(learner, tasks, steps, settings, "s", context)


def gradients(learner, tasks, step, settings):
    learner.clear_gradients()
    loss = step_gradient(learner, tasks, step, dataclasses.replace(settings, methods=()), "x", 0)
    return float(loss), {name: p.grad.clone() for name, p in learner.named_parameters() if p.grad is not None}


def with_strength(step, strength):
    return dataclasses.replace(step, beside=(dataclasses.replace(step.beside[0], strength=strength),))


def test_the_encoder_gets_the_gradient_times_minus_the_strength_and_the_discriminator_its_own(prepared):
    learner, tasks, _, settings, (ours, all_tasks, steps) = prepared
    alone, plain = gradients(learner, tasks, steps[0].__class__(parts=steps[0].parts), settings)
    found = {s: gradients(ours, all_tasks, with_strength(steps[0], s), settings) for s in (-1.0, 0.0, 0.5)}
    assert all(loss == pytest.approx(alone) for loss, _ in found.values()), "the step's loss is that of its examples"
    name = next(n for n in plain if n.endswith("attention.self.query.weight"))
    forward = found[-1.0][1][name] - plain[name]  # strength -1: as if nothing were reversed
    assert forward.norm() > 1e-6
    assert torch.allclose(found[0.5][1][name] - plain[name], -0.5 * forward, atol=1e-6 + 1e-3 * float(forward.abs().max()))
    assert torch.allclose(found[0.0][1][name], plain[name], atol=1e-7)
    own = [n for n in found[0.5][1] if "unlabelled" in n]
    assert own and all(torch.allclose(found[0.5][1][n], found[-1.0][1][n], atol=1e-6) for n in own)
    assert any(found[0.5][1][n].abs().max() > 1e-6 for n in own), "the discriminator learns to tell languages apart"


def test_the_strength_rises_and_languages_are_drawn_evenly(prepared, context):
    _, _, steps, settings, (_, tasks, drawn) = prepared
    strengths = [step.beside[0].strength for step in drawn]
    assert strengths == sorted(strengths) and strengths[-1] == pytest.approx(1.0, abs=1e-3) and strengths[0] < 0.5
    method = LanguageAdversary(text="x", strength=0.2)
    assert strength_at(method, 0) == 0 and strength_at(method, 0.11) == pytest.approx(0.1, abs=0.001)
    many = with_adversary(
        Learner(model=None, heads=nn.ModuleDict(), specials=context.specials, device=context.device), {}, steps * 50, settings,
        "s", context,
    )[2]  # fmt: skip
    labels = tasks[NAME].items.labels[np.concatenate([step.beside[0].items for step in many])]
    assert abs(labels.mean() - 0.5) < 4 * 0.5 / len(labels) ** 0.5, "though one language has twice as many sentences"
    assert all(step.size == 8 for step in drawn), "they do not count among the step's examples"


def test_killed_on_its_way_a_plan_ends_the_same_and_leaves_no_discriminator(context, text, tmp_path, lives, monkeypatch):
    staged, ends = plan(text), []
    for place, kills in enumerate(((), (1, 2, 2))):
        kept = SegmentStore(tmp_path / str(place))
        saved = dataclasses.replace(context, store=kept, snapshots=CheckpointPolicy(every_steps=1, every_seconds=None))
        done = lives(functools.partial(run_plan, staged, saved), kills)
        tables = {
            (segment.name, table, name): tensor
            for segment in PlanRun(staged, saved).intermediate
            for table in ("model", "heads", *(["optimizer"] if segment.carries else []))
            for name, tensor in kept.tensors(segment.signature, table).items()
        }
        ends.append((done, tables))
    (calm, first), (killed, second) = ends
    assert all(np.array_equal(calm.outcomes[cell], killed.outcomes[cell]) for cell in calm.outcomes)
    assert first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)
    assert not [key for key in first if "unlabelled" in key[2]]
    # a reversal that does nothing trains another encoder
    monkeypatch.setattr(language_adversary, "strength_at", lambda *_: 0.0)
    kept = SegmentStore(tmp_path / "none")
    run = PlanRun(staged, dataclasses.replace(context, store=kept))
    run.run("intermediate/0")
    other = kept.tensors(run.intermediate[0].signature, "model")
    moved = max(float((first["intermediate/0", "model", name] - tensor).abs().max()) for name, tensor in other.items())
    assert moved > 1e-5


@pytest.mark.parametrize(
    ("files", "error", "told"),
    [
        (None, BadInput, "is no folder; expected one with a file of sentences per language"),
        ({"en.txt": "a\n"}, BadInput, "has sentences in 1 languages; expected two or more"),
        ({"en.txt": "a\n", "sw.txt": "\n"}, BadInput, "sw.txt holds no sentence"),
        ({"sw.txt": "a\n", "swh.txt": "a\n"}, BadInput, "are both of language 'sw'"),
    ],
)
def test_text_that_is_not_there_is_refused_before_anything_trains(tmp_path, files, error, told):
    for name, content in (files or {}).items():
        (tmp_path / name).write_text(content)
    folder = tmp_path if files else tmp_path / "none"
    with pytest.raises((error, DataMissing), match=told):
        check_methods(configure(methods=[f"languages:text={folder}"]), SUITE)


@pytest.mark.parametrize("text", ["languages", "languages:text=x,strength=0", "languages:text=x,sentences=1"])
def test_settings_out_of_range_are_refused(text):
    with pytest.raises(BadInput, match=r"of method 'languages' is|without text; expected languages:text=FOLDER"):
        canonical_methods([text])
