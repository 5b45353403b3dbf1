"""MLM as a task of the intermediate phase: raw text, English or of any language, in a mixture with labelled tasks or alone."""

import dataclasses
import gzip
import json
import shutil

import numpy as np
import pytest
import torch
from torch import nn

from tasksearch.core.errors import ModelUnusable
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import annealed_twin
from tasksearch.forward.batches import collate
from tasksearch.forward.passes import loss_sum
from tasksearch.models.encoder import check_mlm_head
from tasksearch.phases.context import open_context
from tasksearch.phases.heads import fresh_head
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.tasks.source_spec import Files
from tasksearch.training.accumulate import accumulate
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.order import StepItems, draw_items, stage_counts, stage_steps

LAB = lab_suite()
TEXT = TaskCard(name="text", kind="mlm", role="intermediate", languages=("en",), licence="Apache-2.0")
SOURCES = tuple(Files(path=f"{{folder}}/{code}.train.jsonl.gz") for code in ("en", "near1", "sov"))
MANY = dataclasses.replace(TEXT, name="many", folder="text", train=SOURCES)
SUITE = dataclasses.replace(LAB, cards=(*LAB.cards, TEXT, MANY))
SETTINGS = dataclasses.replace(
    LAB.settings,
    intermediate=dataclasses.replace(LAB.settings.intermediate, batch_size=8),
    target=dataclasses.replace(LAB.settings.target, batch_size=8, steps=4),
    target_overrides=(),
)
SCHEDULES = {
    "a third of MLM": Schedule.joint(Mixture.of({"restate": 2, "text": 1}), 6),
    "many languages": Schedule.joint(Mixture.of({"find": 1, "many": 1}), 6),
    "MLM alone": Schedule.joint(Mixture.uniform("text"), 4),
    "moving to MLM": annealed_twin(Mixture.uniform("restate", "text"), ["restate", "text"], 6),
}


@pytest.fixture(scope="module")
def context(tiny_lab, tmp_path_factory):
    """The tiny lab with its own corpus as raw text in the packed layout."""
    root = tmp_path_factory.mktemp("mlm") / "lab"
    shutil.copytree(tiny_lab.data, root)
    (root / "text").mkdir()
    for code in ("en", "near1", "sov"):
        with gzip.open(root / "corpus" / f"{code}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines][:60]
        with gzip.open(root / "text" / f"{code}.train.jsonl.gz", "wt", encoding="utf-8") as out:
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return open_context(SUITE, str(root), str(tiny_lab.model), None)


def plan(schedule, targets=("retrieval", "topic")):
    return Plan(suite="lab", schedule=schedule, targets=targets, languages=("en", "near1", "sov"), settings=SETTINGS)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_plan_with_mlm_gives_equal_numbers_twice_and_with_the_store(context, tmp_path, name):
    wanted = plan(SCHEDULES[name])
    first, second = run_plan(wanted, context), run_plan(wanted, context)
    kept = dataclasses.replace(context, store=SegmentStore(tmp_path))
    stored, again = run_plan(wanted, kept), PlanRun(wanted, kept)
    assert [again.run(part).steps for part in again.parts] == [0] * len(again.parts)
    for other in (second, stored):
        assert all(np.array_equal(first.outcomes[cell], other.outcomes[cell]) for cell in first.outcomes)
    assert all(np.isfinite(table).all() for table in first.outcomes.values())


def test_many_languages_of_raw_text_are_read_one_after_the_other(context):
    alone, together = (context.source.training_size(card) for card in (TEXT, MANY))
    assert (alone, together) == (60, 180)


def test_its_share_is_counted_in_examples(context):
    [stage] = SCHEDULES["a third of MLM"].stages
    assert stage_counts(stage, 8) == {"restate": 32, "text": 16}
    lengths = {name: context.source.training(SUITE.card(name), 128).lengths for name in stage.tasks}
    steps = draw_items(stage_steps(stage, 8, seed=0, mixing="task"), lengths, 8, seed=0, skip={})
    shown = {name: sum(len(items) for step in steps for task, items in step.parts if task == name) for name in stage.tasks}
    assert shown == {"restate": 32, "text": 16}


def test_the_loss_is_transformers_own_over_masked_positions_alone(context):
    items = context.source.training(TEXT, 128)
    batch = collate(items, np.arange(8), context.specials, mask_seed=3)
    model = context.pretrained.model
    whole = collate(items, np.arange(8), context.specials, mask_seed=4)
    assert not torch.equal(batch.ids, whole.ids), "another seed masks other positions"
    labels = torch.full_like(batch.ids, -100)
    labels[batch.rows, batch.columns] = batch.labels
    reference = model(input_ids=batch.ids, attention_mask=(batch.ids != context.specials.pad).long(), labels=labels).loss
    ours = loss_sum(model, None, batch, context.specials) / batch.units
    assert batch.units == int((labels != -100).sum()) > 8
    assert ours.item() == pytest.approx(reference.item(), rel=1e-5)
    tokenizer = context.pretrained.tokenizer
    content = ~torch.isin(batch.ids, torch.tensor([getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")]))
    assert 0.05 < batch.units / int(content.sum()) < 0.3, "about 15 % of the pieces"


def test_in_a_mixed_step_mlm_weighs_by_its_examples_not_by_its_masked_pieces(context):
    def gradient(parts):
        import copy

        model = copy.deepcopy(context.pretrained.model)
        head = fresh_head(SUITE.card("restate"), "restate", plan(Schedule.none()), context)
        learner = Learner(model=model, heads=nn.ModuleDict({"restate": head}), specials=context.specials, device=context.device)
        tasks = {
            "restate": TrainingTask(items=context.source.training(SUITE.card("restate"), 128), head="restate"),
            "text": TrainingTask(items=context.source.training(TEXT, 128), head=None),
        }
        accumulate(learner, tasks, StepItems(parts=parts), SETTINGS.intermediate, "x", 0, 0.15)
        return torch.cat([p.grad.flatten() for p in model.roberta.parameters()])

    six, two = ("restate", np.arange(6)), ("text", np.arange(2))
    together, apart = gradient((six, two)), 6 / 8 * gradient((six,)) + 2 / 8 * gradient((two,))
    assert torch.allclose(together, apart, rtol=1e-4, atol=1e-6)


def test_the_mlm_head_goes_on_from_the_checkpoint_and_moves_with_mlm_alone(context):
    def head_after(schedule):
        run = PlanRun(plan(schedule, targets=("retrieval",)), context)
        for part in run.parts[:-1]:
            run.run(part)
        return run.encoder().lm_head.dense.weight

    before = context.pretrained.model.lm_head.dense.weight
    assert torch.equal(head_after(Schedule.joint(Mixture.uniform("restate"), 4)), before)
    assert not torch.equal(head_after(SCHEDULES["a third of MLM"]), before)


def test_a_checkpoint_without_an_mlm_head_is_refused_for_mlm_and_serves_other_mixes(context, tmp_path):
    bare = dataclasses.replace(context, pretrained=dataclasses.replace(context.pretrained, has_mlm_head=False))
    for name in ("a third of MLM", "many languages", "MLM alone"):
        with pytest.raises(
            ModelUnusable, match=r"has no MLM head and (text|many) would train a random one; expected"
        ) as caught:
            run_plan(plan(SCHEDULES[name]), bare)
        assert "\n" not in str(caught.value)
    run_plan(plan(Schedule.joint(Mixture.uniform("restate"), 2), targets=("retrieval",)), bare)

    context.pretrained.model.roberta.save_pretrained(tmp_path / "bare")
    with pytest.raises(ModelUnusable, match="has no MLM head and text would"):
        check_mlm_head(str(tmp_path / "bare"), ["text"])
    context.pretrained.model.save_pretrained(tmp_path / "whole")
    check_mlm_head(str(tmp_path / "whole"), ["text"])
    check_mlm_head("xlm-roberta-base", ["text"])  # a hub id: known once it is loaded


def test_a_study_that_may_use_mlm_is_refused_before_its_first_trial(context, tiny_lab, tmp_path, monkeypatch):
    from tasksearch.study.run import configure
    from tasksearch.study.setup import prepare
    from tasksearch.tasks import catalogue

    bare = tmp_path / "bare"
    shutil.copytree(tiny_lab.model, bare)
    context.pretrained.model.roberta.save_pretrained(bare)
    monkeypatch.setattr(catalogue, "SUITES", {"lab": lambda: SUITE})
    catalogue.packaged_suite.cache_clear()
    try:
        root = str(context.source.root)
        with pytest.raises(ModelUnusable, match="has no MLM head and many, text would"):
            prepare(configure(targets=["topic"], model=str(bare), data=root))
        assert prepare(configure(targets=["topic"], model=str(tiny_lab.model), data=root)).sizes["many"] == 180
    finally:
        catalogue.packaged_suite.cache_clear()
