"""MLM and TLM in several languages, and translated training data, in a mixture over the tiny lab."""

import dataclasses
import gzip
import json

import numpy as np
import pytest
import torch

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.phases.context import open_context
from tasksearch.phases.resumable import training_task
from tasksearch.phases.run import PlanRun
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.tasks.source_spec import Files

LAB = lab_suite()
TRANSLATED = dataclasses.replace(
    LAB.card("restate"), name="again", head="restate", folder="restate",
    by_language=tuple((code, Files(path=f"restate/{code}.train.jsonl.gz")) for code in ("near1", "sov")),
)  # fmt: skip
SUITE = dataclasses.replace(LAB, cards=(*LAB.cards, TRANSLATED))
SETTINGS = dataclasses.replace(
    LAB.settings, intermediate=dataclasses.replace(LAB.settings.intermediate, batch_size=16), target_overrides=()
)


@pytest.fixture(scope="module")
def context(tiny_lab, tmp_path_factory):
    """The tiny lab, whose restatements are translated by another language's words at the same places."""
    import shutil

    root = tmp_path_factory.mktemp("translated") / "lab"
    shutil.copytree(tiny_lab.data, root)
    with gzip.open(root / "restate/en.train.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for code in ("near1", "sov"):
        with gzip.open(root / f"restate/{code}.train.jsonl.gz", "wt", encoding="utf-8") as out:
            out.writelines(json.dumps(row | {"a": f"{code} {row['a']}"}) + "\n" for row in rows)
    return open_context(SUITE, str(root), str(tiny_lab.model), None)


def plan(mix, steps=12, **settings):
    return Plan(suite="lab", schedule=Schedule.joint(Mixture.of(mix), steps), targets=("retrieval",),
                languages=("near1", "sov"), settings=dataclasses.replace(SETTINGS, **settings))  # fmt: skip


def facts_of(run, context):
    [segment] = run.intermediate
    run.run(segment.name)
    return context.store.peek(segment.signature)["facts"]


def test_what_was_shown_in_each_language_follows_the_exponent_and_stands_in_the_segment(context, tmp_path):
    kept = dataclasses.replace(context, store=SegmentStore(tmp_path))
    sizes = dict(context.source.training_counts(SUITE.card("mlm:en+lowfar")))
    assert sizes["en"] > 5 * sizes["lowfar"]
    for exponent in (0.0, 1.0):
        shown = facts_of(PlanRun(plan({"mlm:en+lowfar": 3, "restate": 1}, language_exponent=exponent), kept), kept)["languages"]
        [(name, seen)] = shown.items()
        assert name == "mlm:en+lowfar" and sum(seen.values()) == 144
        share = 0.5 if exponent == 0 else sizes["lowfar"] / sum(sizes.values())
        assert seen["lowfar"] / 144 == pytest.approx(share, abs=0.15)


def test_translations_are_shown_beside_the_original_under_its_head(context, tmp_path):
    kept = dataclasses.replace(context, store=SegmentStore(tmp_path))
    run = PlanRun(plan({"again:all": 1}), kept)
    facts = facts_of(run, kept)
    seen = facts["languages"]["again:all"]
    assert facts["heads"] == ["restate"]
    assert set(seen) == {"en", "near1", "sov"} and sum(seen.values()) == 192 and min(seen.values()) > 30
    only = facts_of(PlanRun(plan({"again:near1+sov": 1}), kept), kept)["languages"]["again:near1+sov"]
    assert set(only) == {"near1", "sov"}
    assert "languages" not in facts_of(PlanRun(plan({"again": 1}, steps=2), kept), kept), "in English as ever"


def test_masked_text_moves_head_encoder_and_the_words_of_its_languages(context):
    run = PlanRun(plan({"mlm:near1": 1, "tlm:sov": 1}, steps=4), context)
    for segment in run.intermediate:
        run.run(segment.name)
    before, after = context.pretrained.model, run.encoder()
    moved = {name: float((p - q).detach().abs().max()) for (name, p), (_, q) in
             zip(before.named_parameters(), after.named_parameters(), strict=True)}  # fmt: skip
    assert moved["lm_head.dense.weight"] > 0 and moved["roberta.encoder.layer.1.attention.self.query.weight"] > 0
    items = training_task(SUITE.card("tlm:sov"), SETTINGS, context).items
    assert (items.tokens.flat == context.specials.template.ids[1]).sum() == 3 * len(items), "two texts to a row"
    table = (before.get_input_embeddings().weight - after.get_input_embeddings().weight).detach().abs().amax(1)
    unseen = np.setdiff1d(np.arange(len(table)), items.tokens.flat)
    assert (table[torch.from_numpy(unseen)] > 0).any(), "MLM trains the whole table, which is tied to its head"


def test_a_segment_is_named_by_languages_and_exponent_where_it_has_text_and_as_before_where_not(context):
    def name(mix, **settings):
        return PlanRun(plan(mix, **settings), context).intermediate[0].signature

    assert name({"restate": 1}) == name({"restate": 1}, language_exponent=0.7)
    several = {name({f"mlm:{code}": 1}, language_exponent=power) for code in ("en", "en+sov") for power in (0.3, 0.7)}
    assert len(several) == 4
    assert len({name({task: 1}) for task in ("again", "again:all", "again:sov")}) == 3


def test_a_language_without_text_and_a_translation_of_another_length_are_refused(context, tmp_path):
    with pytest.raises(UnknownName, match="no text of task 'mlm' in language 'xx'"):
        plan_of = PlanRun(plan({"mlm:xx": 1}), context)
        raise AssertionError(plan_of)
    with pytest.raises(UnknownName, match="no translation of task 'again' in language 'lowfar'"):
        SUITE.card("again:lowfar")
    context.source.check_translations(SUITE.card("again:all"))
    short = dataclasses.replace(TRANSLATED, by_language=(("near1", Files(path="corpus-short.jsonl.gz")),))
    with gzip.open(context.source.root / "restate/en.train.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = list(lines)[:-1]
    with gzip.open(context.source.root / "corpus-short.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(rows)
    with pytest.raises(BadInput, match=r"its translation into 'near1' holds 127 examples and the English original 128"):
        context.source.check_translations(short.in_languages(["near1"]))
