"""The store's budget: what goes first, and what never goes."""

import os
import subprocess
import sys
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.store.eviction import StoreEntry, claim, claimed, entries, prune, to_evict
from tasksearch.store.segment_store import SegmentStore

NOW = 1e9
ENTRIES = st.lists(
    st.builds(
        StoreEntry, name=st.text("abcdef", min_size=4, max_size=4), kind=st.just("intermediate"), label=st.just(""),
        size=st.integers(1, 10**9), seconds=st.floats(0, 1e5), steps=st.just(1), uses=st.just(0), used=st.floats(0, NOW),
    ),
    unique_by=lambda entry: entry.name, max_size=12,
)  # fmt: skip


@given(ENTRIES, st.integers(0, 10**10), st.data())
def test_eviction_frees_enough_or_everything_that_no_trial_needs_and_never_more_than_it_must(stock, budget, data):
    protected = set(data.draw(st.lists(st.sampled_from(stock or [None]), unique=True)))
    names = {entry.name for entry in protected if entry}
    gone = to_evict(stock, budget=budget, protected=names, now=NOW)
    left = sum(e.size for e in stock) - sum(e.size for e in gone)
    assert not names & {e.name for e in gone}
    assert left <= budget or len(gone) == len(stock) - len(names)
    assert not gone or left + gone[-1].size > budget


@given(ENTRIES, st.integers(0, 10**10), st.sampled_from(["seconds", "used"]))
def test_of_two_alike_the_cheaper_and_the_longer_unused_goes_first(stock, budget, field):
    import dataclasses

    better = [dataclasses.replace(e, name=e.name + "z", **{field: min(NOW, getattr(e, field) * 2 + 1000)}) for e in stock]
    gone = {e.name for e in to_evict([*stock, *better], budget=budget, protected=(), now=NOW)}
    assert all(entry.name[:-1] in gone for entry in better if entry.name in gone)


@pytest.fixture
def store(tmp_path):
    kept = SegmentStore(tmp_path / "store")
    for i in range(4):
        kept.put(f"{i}" * 24, {"model": {"w": torch.ones(1000)}}, {"kind": "target", "seconds": {"target": float(i)}})
    return kept


def test_pruning_removes_the_cheapest_first_counts_reuse_and_keeps_what_a_living_process_claims(store):
    size = entries(store)[0].size
    store.use("1" * 24)
    store.use("1" * 24)
    assert {e.name[0]: e.uses for e in entries(store)} == {"0": 0, "1": 2, "2": 0, "3": 0}
    claim(store, ["0" * 24])
    assert [e.name[0] for e in prune(store, 2 * size, dry_run=True)] == ["1", "2"]
    assert len(entries(store)) == 4
    prune(store, 2 * size)
    assert sorted(e.name[0] for e in entries(store)) == ["0", "3"]


def test_the_claim_of_a_dead_process_is_void(store):
    code = "import sys; from pathlib import Path; from tasksearch.store.eviction import claim\n"
    code += "from tasksearch.store.segment_store import SegmentStore; claim(SegmentStore(Path(sys.argv[1])), ['0' * 24])"
    subprocess.run([sys.executable, "-c", code, str(store.root)], check=True)
    claim(store, ["1" * 24])
    assert claimed(store) == {"1" * 24}


def test_what_a_killed_writer_left_is_cleared_once_it_is_old(store):
    for name, age in (("old", 7200), ("young", 0)):
        folder = store.root / f".{'9' * 24}.1.{name}"
        folder.mkdir()
        os.utime(folder, (time.time() - age,) * 2)
    prune(store, 10**9)
    assert [path.name.rpartition(".")[2] for path in store.root.glob(".9*")] == ["young"]
