"""The cache of encoded items: evaluation portions stand in it too, it keeps within its limit, and what is in use stays."""

import dataclasses
import gzip
import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from tasksearch.core.errors import BadInput
from tasksearch.tasks import encoded_cache as shelf
from tasksearch.tasks import source
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import encode
from tasksearch.tasks.encoded_cache import LIMIT, trim
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.source_spec import Files

CARD = TaskCard(name="t", kind="pair", role="target", languages=("en", "sw"), labels=("x", "y"))
TWO = (("sw", "neno"), ("ha", "kalma"))
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


def test_languages_of_one_file_are_encoded_apart(files):
    root, tokenizer = files
    rows = [{"lang": code, "text": f"{word} {n}", "english": f"word {n}"} for code, word in TWO for n in range(1100)]
    (root / "all.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    one_file = Files(format="jsonl", path="all.jsonl.gz", language_column="lang")
    card = dataclasses.replace(POOL, languages=tuple(code for code, _ in TWO), source=one_file)
    read = TaskSource(root, tokenizer)
    for code, _ in TWO:
        (portion,), (ours,) = read.portions(card, code), read.evaluation(card, code, 32)
        assert np.array_equal(ours.tokens.flat, encode(portion.examples, card, tokenizer, 32).tokens.flat), code
    assert len(encodings(root)) == len(TWO)


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
