"""Every encoder family through a whole plan: each kind of task, retrieval, a kill on the way; and what only one family does."""

import dataclasses
import gzip
import json
import shutil

import numpy as np
import pytest
import torch

from tasksearch.core.errors import BadInput, ModelUnusable
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.forward.batches import collate
from tasksearch.forward.device import autocast
from tasksearch.forward.passes import encode_batch, loss_sum
from tasksearch.models.encoder import check_scored, load_pretrained
from tasksearch.models.families import known_types
from tasksearch.phases.checkpoints import CheckpointPolicy
from tasksearch.phases.context import open_context
from tasksearch.phases.heads import fresh_head
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.tasks.template import template_of
from tasksearch.testing.tiny_models import write_tiny_model

LAB = lab_suite()
TEXT = TaskCard(name="text", kind="mlm", role="intermediate", languages=("en",), licence="Apache-2.0")
CHOOSE = TaskCard(name="choose", kind="choice", role="target", folder="sort", languages=("en",), metric="accuracy", fewest=1)
SUITE = dataclasses.replace(LAB, cards=(*LAB.cards, TEXT, CHOOSE))
LABELLED = ("choose", "nli", "qa", "tag", "topic")


@pytest.fixture(scope="module")
def data(tiny_lab, tmp_path_factory):
    """The tiny lab with raw text, and its class-word task as a target of kind choice."""
    root = tmp_path_factory.mktemp("families") / "lab"
    shutil.copytree(tiny_lab.data, root)
    shutil.copy(root / "sort" / "en.dev.jsonl.gz", root / "sort" / "en.test.jsonl.gz")
    (root / "text").mkdir()
    with gzip.open(root / "corpus" / "en.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][:60]
    with gzip.open(root / "text" / "en.train.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return root


@pytest.fixture(scope="module")
def folder_of(tiny_lab, tiny_bert, tmp_path_factory):
    def made(kind, **fields):
        pieces = tiny_bert if kind in ("bert", "distilbert", "deberta-v2", "rembert") else tiny_lab.model
        fields = {"max_position_embeddings": 130, **({} if pieces is tiny_bert else {"pad_token_id": 1}), **fields}
        return write_tiny_model(kind, pieces, tmp_path_factory.mktemp("model") / kind, **fields)

    return made


def plan(kind, mlm, precision="fp32"):
    settings = dataclasses.replace(
        SUITE.settings,
        features="cls",
        intermediate=dataclasses.replace(SUITE.settings.intermediate, batch_size=6, max_length=64, precision=precision),
        target=dataclasses.replace(SUITE.settings.target, batch_size=4, steps=2, max_length=64, precision=precision),
        target_overrides=(),
        retrieval=dataclasses.replace(SUITE.settings.retrieval, layer=1),
        evaluation_examples=4,
    )
    mix = Mixture.of({"restate": 1, "find": 1, **({"text": 1} if mlm else {})})
    targets = LABELLED if kind == "xmod" else (*LABELLED, "retrieval")
    return Plan(suite="lab", schedule=Schedule.joint(mix, 3), targets=targets, languages=("en", "near1"), settings=settings)


class Killed(Exception):
    """Stands for a process that ends."""


def kill_at(steps):
    left = [steps]

    def on_step(part, step, total):
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    return on_step


@pytest.mark.parametrize("kind", known_types())
def test_a_plan_of_every_kind_of_task_goes_on_after_a_kill_to_the_bit(kind, data, folder_of, tmp_path):
    context = open_context(SUITE, str(data), str(folder_of(kind)), None)
    assert {SUITE.card(name).kind for name in LABELLED} == {"choice", "pair", "span", "tagging", "sentence"}
    wanted = plan(kind, context.pretrained.has_mlm_head)
    calm = run_plan(wanted, context)
    assert {target for target, _, _ in calm.outcomes} == {*wanted.targets}
    assert all(np.isfinite(table).all() for table in calm.outcomes.values())

    kept = dataclasses.replace(context, store=SegmentStore(tmp_path), snapshots=CheckpointPolicy(every_steps=1))
    for steps in (2, 2):  # in the intermediate phase, and then in a target's
        with pytest.raises(Killed):
            run_plan(wanted, kept, kill_at(steps))
    again = run_plan(wanted, kept)
    assert all(np.array_equal(calm.outcomes[cell], again.outcomes[cell]) for cell in calm.outcomes)


@pytest.mark.parametrize("kind", known_types())
def test_a_step_and_a_vector_under_bf16_are_near_those_of_fp32(kind, data, folder_of):
    context = open_context(SUITE, str(data), str(folder_of(kind)), None)
    card = SUITE.card("tag")
    head, model = fresh_head(card, "h", plan(kind, False), context).eval(), context.pretrained.model
    items = context.source.training(card, 64)
    batch, found = collate(items, np.arange(8), context.specials), {}
    for precision in ("fp32", "bf16"):
        with autocast(torch.device("cpu"), precision):
            loss = loss_sum(model, head, batch, context.specials)
        loss.backward()
        with torch.inference_mode(), autocast(torch.device("cpu"), precision):
            states = encode_batch(model, batch.ids, context.specials, hidden_states=True).hidden_states
        found[precision] = (loss.item() / batch.units, states[-1])
    assert found["bf16"][0] == pytest.approx(found["fp32"][0], abs=0.02)
    assert found["bf16"][1].dtype == torch.float32
    torch.testing.assert_close(found["bf16"][1], found["fp32"][1], atol=0.15, rtol=0.05)


def test_a_model_without_an_mlm_head_refuses_mixes_with_mlm(data, folder_of):
    context = open_context(SUITE, str(data), str(folder_of("deberta-v2")), None)
    with pytest.raises(ModelUnusable, match="has no MLM head and text would train a random one"):
        PlanRun(plan("deberta-v2", True), context)


def test_xmod_is_trained_through_english_and_scored_through_each_language(folder_of):
    from transformers import XmodForMaskedLM

    folder = folder_of("xmod")
    one = load_pretrained(str(folder))
    stock = XmodForMaskedLM.from_pretrained(folder).eval()
    ids = torch.tensor([[0, 9, 8, 7, 2]])
    assert one.model.config.default_language == "en_XX"
    with torch.inference_mode():
        for code, name in (("en", "en_XX"), ("near1", "near1_XX"), ("sov", "sov_KE")):
            stock.set_default_language(name)
            with one.family.speaking(one.model, code):
                ours = one.model(input_ids=ids).logits
            torch.testing.assert_close(ours, stock(input_ids=ids).logits)
        english = one.model(input_ids=ids).logits
        assert (english - ours).abs().max() > 0.01
    assert one.model.config.default_language == "en_XX"
    frozen = {name for name, p in one.model.named_parameters() if not p.requires_grad}
    assert any("adapter_modules" in name for name in frozen) and "roberta.embeddings.word_embeddings.weight" in frozen
    assert all(p.requires_grad for name, p in one.model.named_parameters() if "attention" in name)
    check_scored(str(folder), ["near1"], ["pair"])
    for languages, kinds, said in (
        (["yo"], ["pair"], "no adapter for 'yo'; it has en_XX, near1_XX, sov_KE"),
        (["near1"], ["retrieval"], "expected no retrieval target"),
    ):
        with pytest.raises(ModelUnusable, match=said):
            check_scored(str(folder), languages, kinds)
    with pytest.raises(BadInput, match="no adapter for 'yo'"), one.family.speaking(one.model, "yo"):
        pass


def test_padding_that_the_template_has_too_becomes_a_piece_that_nothing_uses(folder_of):
    """EuroBERT pads with its end of text, and Llama's template has a begin of text between two texts."""
    folder = folder_of("eurobert")
    written = json.loads((folder / "tokenizer.json").read_text())
    bos, eos = "<s>", "</s>"
    written["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                   {"SpecialToken": {"id": eos, "type_id": 0}}],
        "pair": [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                 {"SpecialToken": {"id": eos, "type_id": 0}}, {"SpecialToken": {"id": bos, "type_id": 1}},
                 {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": eos, "type_id": 1}}],
        "special_tokens": {bos: {"id": bos, "ids": [0], "tokens": [bos]}, eos: {"id": eos, "ids": [2], "tokens": [eos]}},
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(written))
    config = json.loads((folder / "tokenizer_config.json").read_text()) | {"pad_token": eos}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    one = load_pretrained(str(folder))
    assert one.tokenizer.pad_token == "<pad>" and one.model.config.pad_token_id == one.tokenizer.pad_token_id
    template = template_of(one.tokenizer)
    assert template.between == (2, 0) and one.tokenizer.pad_token_id not in template.ids
