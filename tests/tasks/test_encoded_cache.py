"""The cache of encoded items: evaluation portions stand in it too, it keeps within its limit, and what is in use stays."""

import dataclasses
import gzip
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from tasksearch.core.errors import BadInput
from tasksearch.tasks import encoded_cache as shelf
from tasksearch.tasks import resolve, source
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import encode
from tasksearch.tasks.encoded_cache import LIMIT, trim
from tasksearch.tasks.hub import Pin
from tasksearch.tasks.resolve import serves_several, sharing
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.source_spec import ByPart, Files, FirstOf, Hub

CARD = TaskCard(name="t", kind="pair", role="target", languages=("en", "sw"), labels=("x", "y"))
POOL = TaskCard(name="p", kind="retrieval", role="target", languages=("sw",), select_split="test", keep_repeats=True)


@pytest.fixture
def files(tmp_path, tiny_lab, monkeypatch):
    """1,200 pairs in each split of Swahili, 40 of English; a tokenizer; a cache of its own."""
    from transformers import AutoTokenizer

    monkeypatch.setenv("TASKSEARCH_CACHE", str(tmp_path / "cache"))
    for place, count in (("sw.dev", 1200), ("sw.test", 1200), ("en.dev", 40), ("en.test", 140)):
        rows = [{"a": f"kita ba {place} {n}", "b": "do", "label": "xy"[n % 2]} for n in range(count)]
        path = tmp_path / f"t/{place}.jsonl.gz"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    (tmp_path / "p").mkdir()
    pairs = [{"text": f"neno {n}", "english": f"word {n}"} for n in range(1100)]
    (tmp_path / "p/sw.test.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in pairs).encode()))
    return tmp_path, AutoTokenizer.from_pretrained(str(tiny_lab.model))


SHARED = {
    "pair": TaskCard(
        name="t", kind="pair", role="target", languages=("sw", "yo"), labels=("x", "y"),
        source=Files(path="all.{split}.jsonl.gz", language_column="lang"),
    ),
    "retrieval": TaskCard(
        name="p", kind="retrieval", role="target", languages=("sw", "yo"), select_split="test",
        source=Files(path="all.{split}.jsonl.gz", language_column="lang"),
    ),
    "hub": TaskCard(
        name="t", kind="pair", role="target", languages=("sw", "yo"), labels=("x", "y"),
        source=Hub(id="some/data", config="{code}"),
    ),
}  # fmt: skip


def encodings(root):
    return {path.name for path in (root / "cache/encoded").glob("*.arrow")}


@pytest.mark.parametrize(("card", "count"), [(CARD, 2), (POOL, 1)], ids=["pair", "retrieval"])
def test_large_portions_are_encoded_once_for_every_process_and_are_what_encoding_gives(files, monkeypatch, card, count):
    root, tokenizer = files
    first = TaskSource(root, tokenizer)
    made = first.evaluation(card, "sw", 32)
    assert len(encodings(root)) == count
    monkeypatch.setattr(source, "encode", lambda *_: pytest.fail("encoded again"))
    again = TaskSource(root, tokenizer).evaluation(card, "sw", 32)
    for portion, ours, theirs in zip(first.portions(card, "sw"), made, again, strict=True):
        plain = encode(portion.examples, card, tokenizer, 32)
        for one in (ours, theirs):
            assert np.array_equal(one.tokens.flat, plain.tokens.flat) and np.array_equal(one.tokens.bounds, plain.tokens.bounds)
            assert np.array_equal(one.labels, plain.labels) and np.array_equal(one.owner, plain.owner)


def test_small_portions_need_no_file(files):
    root, tokenizer = files
    TaskSource(root, tokenizer).evaluation(CARD, "en", 32)
    assert not encodings(root)


def test_another_length_cap_rule_or_content_is_another_file(files):
    root, tokenizer = files

    def count(card=CARD, length=32, cap=None):
        TaskSource(root, tokenizer).evaluation(card, "sw", length, cap)
        return len(encodings(root))

    assert count() == 2
    assert count() == 2
    assert count(length=16) == 4
    assert count(cap=1100) == 6
    assert count(dataclasses.replace(CARD, labels=("y", "x"))) == 8
    assert count(dataclasses.replace(CARD, select_split="test")) == 9  # cut once: one portion
    rows = gzip.decompress((root / "t/sw.dev.jsonl.gz").read_bytes()).replace(b"kita", b"kito")
    (root / "t/sw.dev.jsonl.gz").write_bytes(gzip.compress(rows))
    assert count() == 11


def shelve(folder, **ages):
    """Files of 100 bytes, each so many seconds old."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, age in ages.items():
        path = folder / f"{name}.arrow"
        path.write_bytes(b"x" * 100)
        (folder / f"{name}.arrow.lock").touch()
        os.utime(path, (1e9 - age, 1e9 - age))


def test_what_was_used_least_recently_goes_first_with_its_lock(tmp_path):
    shelve(tmp_path, old=30, older=40, new=10, newer=5)
    assert trim(tmp_path, 1000) == []
    assert trim(tmp_path, 250) == ["older.arrow", "old.arrow"]
    assert sorted(path.name for path in tmp_path.glob("*.arrow*")) == [
        "new.arrow", "new.arrow.lock", "newer.arrow", "newer.arrow.lock",
    ]  # fmt: skip


def test_what_a_living_process_has_open_stays_and_goes_once_it_is_dead(tmp_path, monkeypatch):
    folder = tmp_path / "encoded"
    shelve(folder, used=50, free=10)
    script = textwrap.dedent("""
        import sys
        from tasksearch.core.folders import cache_folder
        from tasksearch.tasks.encoded_cache import _use
        _use(cache_folder() / "encoded" / "used.arrow")
        print("open", flush=True)
        sys.stdin.read()
    """)
    monkeypatch.setenv("TASKSEARCH_CACHE", str(tmp_path))
    user = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert user.stdout.readline() == "open\n"
        assert trim(folder, 0) == ["free.arrow"]
    finally:
        user.communicate("")
    assert trim(folder, 0) == ["used.arrow"]
    assert not list((folder / ".users").iterdir())


def test_a_full_cache_makes_room_when_something_is_added_and_keeps_what_this_process_reads(files, monkeypatch):
    root, tokenizer = files
    shelve(root / "cache/encoded", stale=1000)
    monkeypatch.setenv(LIMIT, "1KB")
    items = TaskSource(root, tokenizer).evaluation(CARD, "sw", 32)
    assert len(encodings(root)) == 2  # both above the limit, both in use; the stale one went
    assert int(items[0].tokens.flat.sum()) > 0
    again = TaskSource(root, tokenizer).evaluation(CARD, "sw", 32)
    assert np.array_equal(again[1].tokens.flat, items[1].tokens.flat)


def test_using_a_file_makes_it_the_newest(files, monkeypatch):
    root, tokenizer = files
    TaskSource(root, tokenizer).evaluation(CARD, "sw", 32)
    for path in (root / "cache/encoded").glob("*.arrow"):
        os.utime(path, (1e9, 1e9))
    TaskSource(root, tokenizer).evaluation(CARD, "sw", 32)
    assert all(path.stat().st_mtime > 1.5e9 for path in (root / "cache/encoded").glob("*.arrow"))


def test_a_limit_that_is_no_size_is_one_line(files, monkeypatch):
    root, tokenizer = files
    monkeypatch.setenv(LIMIT, "much")
    with pytest.raises(BadInput, match="'much' is no size; expected such as 20GB"):
        TaskSource(root, tokenizer).evaluation(CARD, "sw", 32)
    assert shelf.DEFAULT_LIMIT == "20GB"


@pytest.mark.parametrize("kind", ["pair", "retrieval"])
def test_languages_of_one_file_are_each_encoded_from_their_own_text(files, kind):
    """The first language of a file that was encoded once stood for all of them: their data have one fingerprint."""
    root, tokenizer = files
    card = SHARED[kind]
    for split in ("dev", "test"):
        rows = [
            {"lang": language, "text": f"{word} {n}", "english": f"word {n}"}
            | {"a": f"{word} {split} {n}", "b": "do", "label": "x"}
            for language, word in (("sw", "kita"), ("yo", "ba"))
            for n in range(1100)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (root / f"all.{split}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    first = TaskSource(root, tokenizer)
    for read in (first, TaskSource(root, tokenizer)):
        assert read.evaluation_fingerprint(card, "sw") == read.evaluation_fingerprint(card, "yo")
        for language in ("sw", "yo"):
            for portion, made in zip(read.portions(card, language), read.evaluation(card, language, 32), strict=True):
                assert np.array_equal(made.tokens.flat, encode(portion.examples, card, tokenizer, 32).tokens.flat)
    assert len(encodings(root)) == (4 if kind == "pair" else 2)


def test_what_earlier_versions_may_have_mistaken_is_known(files, monkeypatch):
    root, tokenizer = files
    found = TaskSource(root, tokenizer)
    assert not found.was_mistaken(CARD, "sw")  # a file of its own
    monkeypatch.setattr(source, "serves_several", lambda *_: True)
    found = TaskSource(root, tokenizer)
    assert found.was_mistaken(CARD, "sw") and not found.was_mistaken(CARD, "en")  # 40 and 140 examples were not cached
    assert not found.was_mistaken(CARD, "sw", 100) and found.was_mistaken(POOL, "sw", 100)  # a pool stays whole


PAIRS = Files(path="{code}.{split}.jsonl.gz", codes=(("en", "my"), ("my", "my")), columns=(("a", "a_{language}"),))
"""As myXNLI's files: English stands in the file of another language."""


@pytest.mark.parametrize(
    ("found", "shared"),
    [(CARD.source, ""), *((card.source, "sw yo en my") for card in SHARED.values()), (PAIRS, "en my"),
     (Files(path="all.jsonl", languages=("yo",)), "")],
)  # fmt: skip
def test_languages_share_data_where_its_place_names_none_or_names_two_alike(found, shared):
    asked, splits = ("sw", "yo", "en", "my"), ("dev", "test")
    assert sharing(found, asked, splits) == {*shared.split()}
    assert sharing(FirstOf(sources=(Files(), found)), asked, splits) == {*shared.split()}
    assert sharing(ByPart(parts=(("sw", "", found),), rest=None), asked, splits) == set()  # alone in its part
    assert sharing(ByPart(parts=(("en", "", found), ("my", "dev", found)), rest=Files()), asked, splits) == (
        {"en", "my"} if shared else set()
    )


def test_a_language_that_stands_in_the_file_of_another_may_have_been_mistaken_for_it(tmp_path):
    card = dataclasses.replace(CARD, languages=("en", "my", "sw"), source=PAIRS)
    assert [serves_several(tmp_path, card, PAIRS, one, "dev") for one in card.languages] == [True, True, False]


def test_another_training_split_of_one_file_is_another_training_set(files):
    """Only the split that is asked for is read, so that hashes of the file do not tell two of them apart."""
    root, tokenizer = files
    items = [
        {"id": n, "premise": f"kita {n}", "asks_for": "cause", "choice1": "ba", "choice2": "do", "label": 0}
        for n in (1, 2, 401)
    ]
    (root / "copa.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    card = TaskCard(
        name="c", kind="choice", role="intermediate", languages=("en",), source=Files(format="copa", path="copa.jsonl")
    )
    other = dataclasses.replace(card, train_split="dev")
    read = TaskSource(root, tokenizer)
    assert read.training_fingerprint(card) != read.training_fingerprint(other)
    assert (
        (read.training_size(card), read.training_size(other))
        == (len(read.training(card, 32)), 1)
        == (2, len(read.training(other, 32)))
    )


def test_a_hub_data_set_is_named_by_its_split_too(monkeypatch):
    monkeypatch.setattr(resolve, "pin", lambda *_: Pin(id="some/data", asked="main", commit="c0"))
    card = dataclasses.replace(CARD, source=Hub(id="some/data"))
    read = TaskSource(Path(), None)
    usual, other = (read.training_fingerprint(dataclasses.replace(card, train_split=one)) for one in ("train", "extra"))
    assert usual != other and usual in other


def test_a_file_that_changes_while_it_is_in_memory_is_read_again(files):
    """Else its former text would be kept under the name of the new content, for every later process."""
    root, tokenizer = files
    read, place = TaskSource(root, tokenizer), root / "t/sw.dev.jsonl.gz"
    before = read.evaluation(CARD, "sw", 32)
    rows = [{"a": f"do ba {n}", "b": "kita", "label": "x"} for n in range(1300)]
    place.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    for source_now in (read, TaskSource(root, tokenizer)):
        after = source_now.evaluation(CARD, "sw", 16)
        assert len(after[0]) == 1300 == len(source_now.portions(CARD, "sw")[0].examples) != len(before[0])
        assert source_now.scored_examples(CARD, "sw") == 2500
        assert np.array_equal(
            after[0].tokens.flat, encode(source_now.portions(CARD, "sw")[0].examples, CARD, tokenizer, 16).tokens.flat
        )
