"""Words are drawn from themselves and their synonyms, at the rate asked for; everything else of an example stays."""

import json
from collections import Counter

import numpy as np
import pytest

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.tasks.examples import ChoiceExample, LabelSetExample, SpanExample, TagExample, TextExample
from tasksearch.tasks.synonyms import read_synonyms, substituted

TABLE = {"big": ("large", "great", "huge"), "dog": ("hound",)}


def draws(text, rate=1.0, count=4000):
    draw = np.random.default_rng(0)
    return Counter(substituted(TextExample("1", text, None, 0), TABLE, rate, draw).text_a for _ in range(count))


def test_a_word_is_drawn_uniformly_from_itself_and_its_synonyms():
    seen = draws("big")
    assert set(seen) == {"big", "large", "great", "huge"}
    assert all(abs(count / 4000 - 0.25) < 4 * (0.25 * 0.75 / 4000) ** 0.5 for count in seen.values())


@pytest.mark.parametrize("rate", [0.2, 0.7])
def test_the_rate_is_the_share_of_words_that_are_drawn(rate):
    changed = 1 - draws("big", rate)["big"] / 4000
    wanted = rate * 3 / 4
    assert abs(changed - wanted) < 4 * (wanted * (1 - wanted) / 4000) ** 0.5


def test_case_and_everything_between_words_stay():
    assert set(draws("A BIG, Dog's big_dog (dog)!", count=400)) >= {
        "A LARGE, Dog's big_hound (hound)!",
        "A BIG, Dog's big_dog (dog)!",
    }
    assert set(draws("Big", count=200)) == {"Big", "Large", "Great", "Huge"}


@pytest.mark.parametrize(
    "example",
    [
        TextExample("1", "big dog", "a dog", 2, "d"),
        LabelSetExample("1", "big dog", (0, 2)),
        ChoiceExample("1", "big dog", ("dog", "big"), 1),
        TagExample("1", ("big", "dog", "runs"), (0, 1, 2)),
    ],
)
def test_labels_tags_and_numbers_of_words_and_choices_stay(example):
    draw, seen = np.random.default_rng(0), set()
    for _ in range(50):
        made = substituted(example, TABLE, 1.0, draw)
        seen.add(repr(made))
        for name in ("id", "label", "labels", "tags", "document"):
            assert getattr(made, name, None) == getattr(example, name, None)
        for name in ("words", "choices"):
            assert len(getattr(made, name, ())) == len(getattr(example, name, ()))
    assert len(seen) > 3


def test_questions_stay_as_their_answers_have_positions():
    example = SpanExample("1", "big dog", "a big dog", ((2, "big"),))
    assert substituted(example, TABLE, 1.0, np.random.default_rng(0)) is example


def test_a_table_is_lines_or_json(tmp_path):
    (tmp_path / "a.tsv").write_text("Big\tlarge\tbig\tlarge\nbig\thuge\n\ndog\thound\n")
    (tmp_path / "a.json").write_text(json.dumps({"big": ["large", "huge"], "dog": ["hound"], "alone": []}))
    lines, held = read_synonyms(tmp_path / "a.tsv"), read_synonyms(tmp_path / "a.json")
    assert lines == {"big": ("large", "huge"), "dog": ("hound",)} == {word: found for word, found in held.items() if found}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.tsv", "big large\n", r"a.tsv:1: 'big large'; expected a word and its synonyms, separated by tabs"),
        ("a.tsv", "", "has no synonyms; expected lines"),
        ("a.json", "[1]", "not a table of synonyms"),
        ("a.json", '{"big": "large"}', "not a table of synonyms"),
        ("a.json", "{", "not JSON"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, name, text, told):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=told) as refused:
        read_synonyms(tmp_path / name)
    assert "\n" not in str(refused.value)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(DataMissing, match=r"no.tsv is missing"):
        read_synonyms(tmp_path / "no.tsv")
