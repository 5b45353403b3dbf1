"""Encoded items on disk: the same items as in memory, made once, made anew where data or casts are others."""

import dataclasses
import gzip
import json

import numpy as np
import pytest

from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import encode
from tasksearch.tasks.examples import BitextExample, ChoiceExample, PoolSentence, SpanExample, TagExample, TextExample
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.stored import stored


class Letters:
    """One piece per letter."""

    bos_token_id, eos_token_id, pad_token_id = 0, 2, 1

    def __call__(self, texts, **options):
        ids = [[ord(letter) for letter in text] for text in texts]
        return {"input_ids": ids, "offset_mapping": [[(i, i + 1) for i in range(len(text))] for text in texts]}


EXAMPLES = {
    "pair": [TextExample(str(i), "a" * i, "b" * (9 - i), i % 2) for i in range(9)],
    "choice": [ChoiceExample(str(i), "p" * i, ("x", "y" * i), i % 2) for i in range(9)],
    "tagging": [TagExample(str(i), ("ab", "cd", "e") * (i + 1), (0, 1, 0) * (i + 1)) for i in range(9)],
    "retrieval": [BitextExample(str(i), "a" * i, "b" * (9 - i)) for i in range(9)],
    "mining": [PoolSentence(str(i), "a" * i, i > 4) for i in range(9)],
    "span": [
        SpanExample(str(i), "who", "abcdefgh" * (i + 1), ((i, ("abcdefgh" * 2)[i : i + 2]),) if i % 3 else ()) for i in range(9)
    ],
}


def arrays(items):
    for field in dataclasses.fields(items):
        value = getattr(items, field.name)
        parts = (value.flat, value.bounds) if hasattr(value, "flat") and hasattr(value, "bounds") else (value,)
        yield from ((field.name, part) for part in parts if not isinstance(part, str))


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("size", [1, 4, 9])
def test_parts_written_one_by_one_are_what_encoding_all_at_once_gives(tmp_path, kind, size):
    card = TaskCard(name="t", kind=kind, role="target", languages=("en",), labels=("x", "y"))
    whole = encode(EXAMPLES[kind], card, Letters(), 16)
    parts = (encode(EXAMPLES[kind][i : i + size], card, Letters(), 16) for i in range(0, 9, size))
    found = stored(tmp_path / "a" / "x.arrow", kind, parts)
    for (name, ours), (_, theirs) in zip(arrays(found), arrays(whole), strict=True):
        assert np.array_equal(ours, theirs), name
        assert ours.dtype == theirs.dtype, name
    assert len(found) == len(whole)
    assert found.lengths.tolist() == whole.lengths.tolist()


def test_a_file_is_made_once_and_a_damaged_one_anew(tmp_path):
    card = TaskCard(name="t", kind="pair", role="target", languages=("en",), labels=("x", "y"))
    made = []

    def parts():
        made.append(1)
        yield encode(EXAMPLES["pair"], card, Letters(), 16)

    path = tmp_path / "x.arrow"
    for _ in range(3):
        stored(path, "pair", parts())
    assert made == [1]
    path.write_bytes(path.read_bytes()[:100])
    assert len(stored(path, "pair", parts())) == 9
    assert made == [1, 1]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["x.arrow", "x.arrow.lock"]


def test_nothing_is_left_where_reading_fails_halfway(tmp_path):
    def parts():
        yield from ()
        raise RuntimeError("a bad line")

    with pytest.raises(RuntimeError, match="a bad line"):
        stored(tmp_path / "x.arrow", "pair", parts())
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.arrow.lock"]


def test_other_data_another_length_or_other_labels_are_other_files(tmp_path, tiny_lab, monkeypatch):
    from transformers import AutoTokenizer

    monkeypatch.setenv("TASKSEARCH_CACHE", str(tmp_path / "cache"))
    tokenizer = AutoTokenizer.from_pretrained(str(tiny_lab.model))
    card = TaskCard(name="t", kind="pair", role="intermediate", languages=("en",), labels=("x", "y"))

    def write(*labels):
        (tmp_path / "t").mkdir(exist_ok=True)
        lines = [json.dumps({"a": "kita ba", "b": "do", "label": label}) for label in labels]
        (tmp_path / "t/en.train.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))

    def labels(card=card, length=32):
        items = TaskSource(tmp_path, tokenizer).training(card, length)
        return items.labels.tolist(), len(list((tmp_path / "cache/encoded").glob("*.arrow")))

    write("x", "y")
    assert labels() == ([0, 1], 1)
    assert labels() == ([0, 1], 1)
    write("y", "y")
    assert labels() == ([1, 1], 2)
    assert labels(length=16) == ([1, 1], 3)
    assert labels(dataclasses.replace(card, labels=("y", "x"))) == ([0, 0], 4)
    assert TaskSource(tmp_path, None).training_size(card) == 2
