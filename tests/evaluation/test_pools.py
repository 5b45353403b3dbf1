"""Bitext mining inside a plan: small files in BUCC's own format, scored as XTREME's script would score them."""

import dataclasses
import gzip
import json

import numpy as np
import pytest

from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.evaluation.mining import mine
from tasksearch.evaluation.retrieval import sentence_vectors
from tasksearch.metrics.mining import best_cut, mining_scores
from tasksearch.metrics.outcomes import value_of
from tasksearch.phases.context import RunContext, open_context
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.encode import encode
from tasksearch.tasks.examples import PoolSentence
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.tasks.pools import pools_of
from tasksearch.tasks.selection_split import half_of, portions, scored_rows
from tasksearch.tasks.source import TaskSource

BUCC, SAMPLE = (load_suite("xtreme").card(name) for name in ("bucc2018", "bucc2018_sample"))
LAB = lab_suite()


def write_bucc(folder, part, pairs, *, foreign_alone, english_alone, gold=True):
    """Pairs among sentences that have no translation, in BUCC's three files; foreign and English orders differ."""
    folder.mkdir(exist_ok=True)
    foreign = [(f"de-{i}", text) for i, (text, _) in enumerate(pairs)] + [(f"de-x{i}", t) for i, t in enumerate(foreign_alone)]
    english = [(f"en-{i}", text) for i, (_, text) in enumerate(pairs)] + [(f"en-x{i}", t) for i, t in enumerate(english_alone)]
    order = np.random.default_rng(len(pairs))
    for side, rows in (("de", foreign), ("en", english)):
        shuffled = [rows[int(i)] for i in order.permutation(len(rows))]
        (folder / f"de-en.{part}.{side}").write_text("".join(f"{name}\t{text}\n" for name, text in shuffled), encoding="utf-8")
    if gold:
        lines = "".join(f"de-{i}\ten-{i}\n" for i in range(len(pairs)))
        (folder / f"de-en.{part}.gold").write_text(lines, encoding="utf-8")


@pytest.fixture(scope="module")
def bucc(tiny_lab, tmp_path_factory):
    """120 and 130 pairs of the lab's retrieval set among as many strangers; the training part's gold in one folder only."""
    lab = TaskSource(tiny_lab.data, None)
    pool = [e for split in ("dev", "test") for e in lab.split(LAB.card("retrieval"), "near1", split)]
    words = [e.text for e in pool]
    made = [(f"{pool[i % 60].text} {words[i // 60]}", f"{pool[i % 60].english} {words[i // 60]}") for i in range(500)]
    root = tmp_path_factory.mktemp("bucc")
    for name, gold in (("whole", True), ("xtreme", False)):
        (root / name).mkdir()
        for part, begin, count, known in (("sample", 0, 120, True), ("training", 250, 130, gold)):
            rest = made[begin + count : begin + 240]
            write_bucc(
                root / name / "bucc2018",
                part,
                made[begin : begin + count],
                foreign_alone=[text for text, _ in rest[::2]],
                english_alone=[text for _, text in rest[1::2]],
                gold=known,
            )
    return root


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(LAB, str(tiny_lab.data), str(tiny_lab.model), None)


def mining_context(context, folder, store=None) -> RunContext:
    """The lab's model over BUCC's cards and files; the lab's own intermediate tasks stay where they are."""
    suite = dataclasses.replace(load_suite("xtreme"), settings=LAB.settings)
    source = TaskSource(folder, context.pretrained.tokenizer)
    return dataclasses.replace(context, suite=suite, source=source, store=store)


def plan(target="bucc2018", **settings):
    changed = dataclasses.replace(LAB.settings, **settings)
    return Plan(suite="xtreme", schedule=Schedule.none(), targets=(target,), languages=("de",), settings=changed)


def by_hand(context, source, split, cut=None):
    """(F1 in percent, cut) of a split by the reference's own rule over all its pairs: `bucc_optimize` where no cut is given."""
    pools = pools_of(source.split(BUCC, "de", split))
    items = encode(pools.sentences, BUCC, context.pretrained.tokenizer, LAB.settings.intermediate.max_length)
    settings = dataclasses.replace(LAB.settings.retrieval, centering=False)
    vectors = sentence_vectors(context.pretrained.model, items, context.specials, settings, "fp32")
    mined = mine(pools.side(pools.foreign), pools.side(pools.english), vectors[pools.foreign], vectors[pools.english])
    right = np.array([pair in pools.gold for pair in mined.ids])
    if cut is None:
        cut = best_cut(mined.scores, right, len(pools.gold))
    return mining_scores(mined.scores, right, len(pools.gold), cut)["f1"], cut


NOT_CENTRED = {"retrieval": dataclasses.replace(LAB.settings.retrieval, centering=False)}


def test_dev_is_scored_as_xtreme_tunes_it_and_the_report_takes_devs_cut(context, bucc):
    where = mining_context(context, bucc / "whole")
    result = run_plan(plan(**NOT_CENTRED), where)
    tuned, cut = by_hand(context, where.source, "sample")
    applied, _ = by_hand(context, where.source, "training", cut)
    scores = {s.half: s for s in result.scores}
    assert scores["select"].value == pytest.approx(tuned)
    assert scores["report"].value == pytest.approx(applied)
    assert 0 < applied < by_hand(context, where.source, "training")[0]  # its own gold would have chosen another cut
    assert (scores["select"].examples, scores["report"].examples) == (120, 130)
    assert {s.metric for s in result.scores} == {"mining_f1"}


def test_without_the_gold_of_the_test_part_the_sample_is_cut_and_half_of_it_reports(context, bucc):
    where = mining_context(context, bucc / "xtreme")
    scores = {s.half: s for s in run_plan(plan("bucc2018_sample"), where).scores}
    assert set(scores) == {"select", "report"}
    assert sum(s.examples for s in scores.values()) == 120
    (portion,) = where.source.portions(SAMPLE, "de")
    for half, rows in portion.rows.items():
        assert {half_of(portion.examples[int(row)].document) for row in rows} == {half}
    assert "training.gold" in where.source.missing(BUCC, ("de",))[0]


def test_every_row_is_a_ratio_whose_sums_are_the_f1_and_a_cap_keeps_the_pools(context, bucc):
    where = mining_context(context, bucc / "whole")
    for cap in (None, 50):
        result = run_plan(plan(evaluation_examples=cap), where)
        for (_, _, half), table in result.outcomes.items():
            assert table.shape == ((cap or {"select": 120, "report": 130}[half]), 2)
            assert (table[:, 0] <= 2 * table[:, 1]).all() and (table[:, 1] >= 1).all()  # each has a pair to be found
            assert next(s.value for s in result.scores if s.half == half) == value_of(table)


def test_a_stored_mining_segment_is_read_back_and_retrievals_length_names_another(context, bucc, tmp_path):
    where = mining_context(context, bucc / "whole", SegmentStore(tmp_path))
    first = run_plan(plan(), where)
    again = PlanRun(plan(), where).run("target/bucc2018")
    assert "reused" in again.seconds
    assert again.scores == first.scores
    longer = plan(retrieval=dataclasses.replace(LAB.settings.retrieval, max_length=16))
    names = {PlanRun(one, where).targets[0].tables for one in (plan(), longer)}
    assert len(names) == 2
    assert run_plan(longer, where).scores != first.scores


def test_a_single_intermediate_tasks_length_names_its_segment_alone(context):
    joint = Schedule.joint(Mixture.uniform("find"), 4)

    def name(**settings):
        changed = dataclasses.replace(LAB.settings, **settings)
        one = Plan(suite="lab", schedule=joint, targets=("retrieval",), languages=("en",), settings=changed)
        return PlanRun(one, context).intermediate[0].signature

    assert name() == name(intermediate_lengths=(("restate", 32),))
    assert name() != name(intermediate_lengths=(("find", 32),))
    assert Plan.from_json(plan(intermediate_lengths=(("find", 32),)).to_json()).settings.length_of("find") == 32


def pool(foreign, english):
    return [PoolSentence(f"de-{i}", f"satz {i}", False, tuple(t)) for i, t in enumerate(foreign)] + [
        PoolSentence(f"en-{i}", f"sentence {i}", True) for i in range(english)
    ]


def test_what_is_mined_wrongly_counts_with_the_scored_sentence_before_it():
    pools = pools_of(pool([[], ["en-0"], [], [], ["en-1", "en-2"], []], 4))
    assert pools.stretches.tolist() == [1, 1, 1, 1, 4, 4]
    assert scored_rows(pools.sentences).tolist() == [1, 4]
    assert len(pools.gold) == 3


@pytest.mark.parametrize(
    ("examples", "said"),
    [
        (pool([["en-9"]], 2), "has the translation 'en-9'; no English sentence has that id"),
        (pool([[], []], 2), "2 foreign and 2 English sentences, 0 of them with a translation"),
        (pool([["en-0"]], 0), "1 foreign and 0 English sentences"),
    ],
)
def test_pools_that_hold_nothing_to_find_are_refused(examples, said):
    with pytest.raises(BadInput, match=said):
        pools_of(examples, "here")


def test_a_foreign_sentence_of_both_parts_selects_nothing_and_few_pairs_are_only_reported():
    dev = [PoolSentence(f"de-{i}", f"satz {i}", False, (f"en-{i}",), f"text {i}") for i in range(120)]
    english = [PoolSentence(f"en-{i}", f"text {i}", True) for i in range(120)]
    test = [dataclasses.replace(one, text="satz 7" if i == 0 else f"anderer {i}") for i, one in enumerate(dev)]
    first, second = portions(BUCC, "de", {"sample": [*dev, *english], "training": [*test, *english]})
    assert len(first.rows["select"]) == 119
    assert len(second.rows["report"]) == 120
    few = portions(BUCC, "de", {"sample": dev[:30] + english[:30], "training": test[:60] + english[:60]})
    assert [set(one.rows) for one in few] == [{"report"}]


def test_without_a_selecting_half_every_candidate_is_taken(context, bucc, tmp_path):
    card = dataclasses.replace(BUCC, fewest=1000)
    suite = dataclasses.replace(load_suite("xtreme"), cards=(card,), settings=LAB.settings, first_targets=())
    where = dataclasses.replace(mining_context(context, bucc / "whole"), suite=suite)
    (score,) = run_plan(plan(**NOT_CENTRED), where).scores
    assert score.half == "report"
    assert score.value == pytest.approx(by_hand(context, where.source, "training", 0.0)[0])


def test_the_packed_layout_holds_the_same_pools(bucc, tmp_path):
    original = TaskSource(bucc / "whole", None).split(BUCC, "de", "sample")
    rows = [
        {"id": e.id, "text": e.text, "english": e.english, "document": e.document, "translations": list(e.translations)}
        for e in original
    ]
    place = tmp_path / "bucc2018/de.sample.jsonl.gz"
    place.parent.mkdir()
    place.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    assert TaskSource(tmp_path, None).split(BUCC, "de", "sample") == original
    place.write_bytes(gzip.compress(json.dumps(rows[-1] | {"english": "yes"}).encode()))
    with pytest.raises(BadInput, match=r"de.sample.jsonl.gz:1: field 'english' is 'yes'; expected true or false"):
        TaskSource(tmp_path, None).split(BUCC, "de", "sample")
