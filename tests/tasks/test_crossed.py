"""Pairs in two languages: the first sentence stays, the second is the same example's in another language."""

import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.study.configuration import configure
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.source import TaskSource, wanted
from tasksearch.tasks.source_spec import Files
from tasksearch.tasks.suite_file import read_suite_file

LANGUAGES = ("en", "sw", "ur", "zh")
CARD = TaskCard(
    name="mixed", kind="pair", role="target", languages=LANGUAGES, labels=("no", "yes"), second_language="any",
    source=Files(format="jsonl", path="{language}.{split}.jsonl"), fewest=1,
)  # fmt: skip


@pytest.fixture
def source(tmp_path):
    for language in LANGUAGES:
        for split, count in (("dev", 400), ("test", 600)):
            rows = [
                {"a": f"{language} first {n}", "b": f"{language} second {n}", "label": ("no", "yes")[n % 2]}
                for n in range(count)
            ]
            (tmp_path / f"{language}.{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return TaskSource(tmp_path, None)


def test_the_second_sentence_is_the_same_example_s_in_a_language_drawn_evenly(source):
    rows = source.split(CARD, "sw", "test")
    assert [row.text_a for row in rows] == [f"sw first {n}" for n in range(600)]
    assert [row.text_b.split()[2] for row in rows] == [str(n) for n in range(600)]
    assert [row.label for row in rows] == [n % 2 for n in range(600)]
    drawn = Counter(row.text_b.split()[0] for row in rows)
    assert set(drawn) == {"en", "ur", "zh"}
    assert all(abs(count - 200) < 4 * (600 * 2 / 9) ** 0.5 for count in drawn.values())
    again = TaskSource(source.root, None).split(CARD, "sw", "test")
    assert again == rows, "drawn by a hash, not by a generator"


def test_a_named_second_language_holds_for_every_example_and_the_portions_are_scored_so(source):
    card = dataclasses.replace(CARD, second_language="en")
    portions = source.portions(card, "ur", 50)
    assert {row.text_b.split()[0] for portion in portions for row in portion.examples} == {"en"}
    assert {row.text_a.split()[0] for portion in portions for row in portion.examples} == {"ur"}


def test_a_change_of_another_language_s_file_is_another_evaluation(source):
    before = source.evaluation_fingerprint(CARD, "sw")
    alone = source.evaluation_fingerprint(dataclasses.replace(CARD, second_language=""), "sw")
    path = source.root / "zh.test.jsonl"
    path.write_text(path.read_text().replace("second 7", "other 7"))
    assert TaskSource(source.root, None).evaluation_fingerprint(CARD, "sw") != before
    assert set(alone) < set(before)
    assert {language for _, language, _ in wanted(CARD, ("sw",))} == set(LANGUAGES), "their files are looked for beforehand"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda text: text.replace('"no"', '"yes"', 1),
            r"mixed test: example 1 is 'no' in 'sw', 'yes' in 'ur'; expected parallel",
        ),
        (lambda text: text[text.index("\n") + 1 :], r"mixed test: 600 examples in 'sw', 599 in 'ur'; expected parallel texts"),
    ],
)
def test_texts_that_are_not_parallel_are_refused(source, change, told):
    path = source.root / "ur.test.jsonl"
    path.write_text(change(path.read_text()))
    with pytest.raises(BadInput, match=told):
        source.split(CARD, "sw", "test")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"second_language": "de"}, "second_language 'de' is not among its languages"),
        ({"kind": "sentence"}, "second_language of a target of kind 'sentence'; expected a target of pairs"),
        ({"languages": ("en",)}, "with one language; expected two or more"),
    ],
)
def test_a_card_that_cannot_be_mixed_is_refused(fields, told):
    with pytest.raises(BadInput, match=told):
        dataclasses.replace(CARD, **fields)


def test_a_suite_of_one_s_own_asks_for_it_by_a_key(tmp_path):
    (tmp_path / "suite.toml").write_text(
        'name = "mine"\n[[task]]\nname = "m"\nkind = "pair"\nlabels = ["no", "yes"]\nlanguages = ["en", "sw"]\n'
        'files = "{language}.{split}.jsonl"\nsecond_language = "en"\nlicence = "CC0-1.0"\n'
    )
    assert load_suite(read_suite_file(tmp_path / "suite.toml")).card("m").second_language == "en"


@pytest.mark.parametrize("suite", ["lowres", "xtreme"])
def test_xnli_mixed_is_trained_as_xnli_is(suite):
    plain, mixed = (load_suite(suite).card(name) for name in ("xnli", "xnli_mixed"))
    assert (mixed.train_sources, mixed.labels, mixed.kind) == (plain.train_sources, plain.labels, plain.kind)
    assert set(mixed.languages) <= set(plain.languages) and mixed.second_language == "any"


def test_xnli_of_the_low_resource_suite_is_parallel(shared_data):
    card, source = load_suite("lowres").card("xnli_mixed"), TaskSource(Path(shared_data), None)
    rows = source.split(card, "sw", "test")
    english = {one.text_b for one in source.split(load_suite("lowres").card("xnli"), "en", "test")}
    assert len(rows) == 5010 and abs(sum(row.text_b in english for row in rows) / 5010 - 1 / 5) < 0.03
    assert configure(suite="lowres", model="x", data=str(shared_data), targets=["xnli_mixed"]).targets == ("xnli_mixed",)
