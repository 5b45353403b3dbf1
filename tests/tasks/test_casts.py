"""Casts of every kind: what is cut is cut where the paper's code cuts, and nothing is lost that must not be."""

import gzip
import json

import numpy as np
import pytest

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import encode
from tasksearch.tasks.examples import ChoiceExample, SpanExample, TagExample, TextExample
from tasksearch.tasks.packed import read_packed, read_raw_text


class Letters:
    """A tokenizer with one piece per letter: lengths and offsets can be read off the text."""

    bos_token_id, eos_token_id, pad_token_id = 0, 2, 1

    def __call__(self, texts, **options):
        ids = [[ord(letter) for letter in text] for text in texts]
        return {"input_ids": ids, "offset_mapping": [[(i, i + 1) for i in range(len(text))] for text in texts]}


def card(kind, **fields):
    return TaskCard(name="t", kind=kind, role="target", folder="t", languages=("en",), **fields)


def text_of(row):
    return "".join(chr(i) if i > 2 else "|" for i in row)


def test_a_pair_stands_in_xlm_rs_template_and_the_longer_side_is_cut_at_its_end():
    encoded = encode([TextExample("1", "aaaaaaaaaa", "bb", 1)], card("pair", labels=("x", "y")), Letters(), 10)
    assert text_of(encoded.tokens[0]) == "|aaaa||bb|"
    assert encoded.labels.tolist() == [1]


def test_each_choice_is_encoded_apart_and_the_front_of_the_prompt_is_cut():
    example = ChoiceExample("1", "abcdefgh", ("xy", "z"), 0)
    encoded = encode([example], card("choice"), Letters(), 10)
    assert [text_of(encoded.tokens[i]) for i in range(2)] == ["|efgh||xy|", "|defgh||z|"]
    assert len(encoded) == 1


def test_a_long_sentence_of_tags_is_split_not_cut():
    example = TagExample("1", ("ab", "cd", "ef", "gh"), (0, 1, 2, 3))
    encoded = encode([example], card("tagging", labels=("A", "B", "C", "D")), Letters(), 6)
    assert [text_of(encoded.tokens[i]) for i in range(len(encoded))] == ["|abcd|", "|efgh|"]
    assert encoded.owner.tolist() == [0, 0]
    assert [encoded.tags[i].tolist() for i in range(2)] == [[0, 1], [2, 3]]
    assert [encoded.positions[i].tolist() for i in range(2)] == [[1, 3], [1, 3]]


def test_windows_cover_a_long_context_and_an_answer_maps_back_to_its_text():
    rng = np.random.default_rng(0)
    context = "".join(rng.choice(list("abcdefgh"), 600))
    example = SpanExample("1", "who", context, ((333, context[333:341]),))
    encoded = encode([example], card("span"), Letters(), 200)
    covered = {int(edge) for i in range(len(encoded)) for edge in encoded.offsets[i][0::2]}
    assert covered == set(range(600))
    holding = [i for i in range(len(encoded)) if encoded.spans[i, 0] >= 0]
    assert holding
    for i in holding:
        first, last = encoded.spans[i]
        begin, end = encoded.offsets[i][2 * first], encoded.offsets[i][2 * last + 1]
        assert context[begin:end] == context[333:341]
        columns = encoded.positions[i][[first, last]]
        assert [chr(encoded.tokens[i][c]) for c in columns] == [context[333], context[340]]


@pytest.mark.parametrize(
    ("kind", "line", "said"),
    [
        ("pair", '{"a": "x", "label": "yes"}', "field 'b' is missing"),
        ("pair", '{"a": "x", "b": "y", "label": "maybe"}', "unknown label 'maybe'; expected one of yes, no"),
        ("pair", "{", "not a JSON object"),
        ("pair", "[1]", "not a JSON object (a list)"),
        ("pair", '{"a": 5, "b": "y", "label": "yes"}', "field 'a' is 5; expected text"),
        ("sentence", '{"a": null, "label": "yes"}', "field 'a' is None; expected text"),
        ("tagging", '{"words": "ab", "tags": ["yes", "no"]}', "field 'words' is 'ab'; expected a list of texts"),
        ("choice", '{"prompt": "p", "choices": "ab", "label": 1}', "field 'choices' is 'ab'; expected a list of texts"),
        ("choice", '{"prompt": "p", "choices": ["a", "b"], "label": 0.9}', "field 'label' is 0.9; expected a whole number"),
        ("retrieval", '{"text": "x"}', "field 'english' is missing"),
        ("span", '{"question": "q", "context": "abc", "answers": [{"start": 1, "text": "c"}]}', "does not hold the answer 'c'"),
        ("tagging", '{"words": ["a", "b"], "tags": ["yes"]}', "2 words but 1 tags"),
        ("choice", '{"prompt": "p", "choices": ["a"], "label": 1}', "label 1 of 1 choices"),
    ],
)
def test_a_malformed_line_is_named_by_file_and_line(tmp_path, kind, line, said):
    path = tmp_path / "en.test.jsonl.gz"
    path.write_bytes(gzip.compress((line + "\n").encode()))
    with pytest.raises(BadInput) as error:
        read_packed(path, card(kind, labels=("yes", "no")))
    assert f"{path}:1: " in str(error.value)
    assert said in str(error.value)


def packed(path, *lines):
    path.write_bytes(gzip.compress(b"".join(line + b"\n" for line in lines)))
    return path


def test_the_line_that_is_named_is_the_line_at_fault(tmp_path):
    good, path = b'{"a": "x", "b": "y", "label": "yes"}', tmp_path / "en.test.jsonl.gz"
    for bad, said in ((b'{"a": "\xff"}', "not UTF-8 at byte 7"), (b"", "not a JSON object"), (b'{"b": "y"}', "'a' is missing")):
        for read in (lambda: read_packed(path, card("pair", labels=("yes",))), lambda: read_raw_text(path)):
            packed(path, *[good] * 3000, bad, good)
            with pytest.raises(BadInput) as error:
                read()
            assert str(error.value).startswith(f"{path}:3001: {'field ' if 'missing' in said else ''}{said}")


def test_a_file_whose_examples_differ_in_their_number_of_choices_is_refused(tmp_path):
    lines = [b'{"prompt": "p", "choices": ["a", "b"], "label": 0}', b'{"prompt": "p", "choices": ["a"], "label": 0}']
    with pytest.raises(BadInput, match=r":2: 1 choices where line 1 has 2"):
        read_packed(packed(tmp_path / "en.train.jsonl.gz", *lines), card("choice"))


def test_missing_damaged_and_empty_files_are_one_line_each(tmp_path):
    path, pair = tmp_path / "en.test.jsonl.gz", card("pair", labels=("yes",))
    with pytest.raises(DataMissing, match="is missing"):
        read_packed(path, pair)
    whole = gzip.compress(b"".join(json.dumps({"a": str(i), "b": "b", "label": "yes"}).encode() + b"\n" for i in range(500)))
    for content, said in (
        (whole[:-20], "damaged gzip"),
        (b"no gzip", "damaged gzip"),
        (gzip.compress(b""), "holds no example"),
    ):
        path.write_bytes(content)
        with pytest.raises(BadInput, match=said):
            read_packed(path, pair)
    path.write_bytes(gzip.compress(b'{"a": "\xff"}\n'))
    with pytest.raises(BadInput, match="not UTF-8"):
        read_packed(path, pair)
