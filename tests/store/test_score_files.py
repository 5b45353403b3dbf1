"""A trial's score tables in one file: added to, read back bit by bit, damaged one by one, never half-written."""

import errno
from pathlib import Path

import numpy as np
import pytest

from tasksearch.core.errors import DiskFull, StoreUnusable, VersionsDiffer
from tasksearch.store import score_files, segment_store
from tasksearch.store.eviction import entries, prune, verify
from tasksearch.store.remote import RemoteStore, open_store
from tasksearch.store.score_files import NewTable, add_scores, facts_of, read_scores, usable_tables

FILE = "ab" * 12
RNG = np.random.default_rng(0)
ARRAYS = {name: {f"nli/{name}/report": RNG.random((5, 2)), f"nli/{name}/select": RNG.random((4, 2))} for name in ("en", "sw")}


def table(name):
    return NewTable(arrays=ARRAYS[name], label=f"nli, seed 0/{name}", seconds=2.0)


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    import fsspec

    yield open_store(str(tmp_path / "s") if request.param == "folder" else f"memory://{tmp_path.name}")
    fsspec.filesystem("memory").store.clear()


def same(found, name):
    return found.keys() == ARRAYS[name].keys() and all(np.array_equal(found[cell], ARRAYS[name][cell]) for cell in found)


def test_tables_are_added_to_one_file_and_come_back(store):
    assert read_scores(store, FILE, ["t-en"]) == {} and facts_of(store, FILE).tables == {}
    add_scores(store, FILE, {"t-en": table("en")}, {"nli": {"label": "nli, seed 0", "steps": 4, "seconds": 3.0}})
    add_scores(store, FILE, {"t-sw": table("sw")})
    found = read_scores(store, FILE, ["t-en", "t-sw", "t-other"])
    assert found.keys() == {"t-en", "t-sw"} == usable_tables(store, FILE)
    assert same(found["t-en"][0], "en") and same(found["t-sw"][0], "sw") and found["t-sw"][1]["seconds"] == 2.0
    [entry] = entries(store)
    assert (entry.name, entry.kind, entry.seconds, entry.steps, entry.label) == (FILE, "scores", 7.0, 4, "nli")
    assert entry.size > 18 * 8 and entry.used > 1e9 and verify(store) == []
    if not isinstance(store, RemoteStore):
        assert [path.name for path in store.root.rglob("*") if path.is_file()] == [".scores.lock", f"{FILE}.scores"]
    prune(store, 0)
    assert entries(store) == [] and read_scores(store, FILE, ["t-en"]) == {}


def test_of_a_damaged_file_the_undamaged_tables_are_read(store):
    add_scores(store, FILE, {"t-en": table("en"), "t-sw": table("sw")})
    path = f"{FILE[:2]}/{FILE}.scores"
    whole, part = store.read(path), ARRAYS["sw"]["nli/sw/select"].tobytes()
    assert whole.count(part) == 1
    store.write(path, whole.replace(part, part[:-1] + bytes([part[-1] ^ 1])))
    assert read_scores(store, FILE, ["t-en", "t-sw"]).keys() == {"t-en"} and store.damaged == ["t-sw"]
    assert verify(store) == [FILE]
    add_scores(store, FILE, {"t-sw": table("sw")})
    assert read_scores(store, FILE, ["t-en", "t-sw"]).keys() == {"t-en", "t-sw"} and verify(store) == []


@pytest.mark.parametrize("content", [b"", b"\x00" * 4, b"\xff" * 64, b"not a score file at all"])
def test_a_file_that_is_none_counts_as_not_there_and_is_written_again(store, content):
    store.write(f"{FILE[:2]}/{FILE}.scores", content)
    assert read_scores(store, FILE, ["t-en"]) == {} and usable_tables(store, FILE) == set() and verify(store) == [FILE]
    add_scores(store, FILE, {"t-en": table("en")})
    assert same(read_scores(store, FILE, ["t-en"])["t-en"][0], "en")


def test_tables_of_other_versions_code_and_formats_are_as_segments_of_them(store, monkeypatch):
    add_scores(store, FILE, {"t-en": table("en")})
    store.versions = {"torch": "0"}
    assert read_scores(store, FILE, ["t-en"]) == {} and usable_tables(store, FILE) == set()
    store.versions, store.accept_versions = None, False
    monkeypatch.setattr(segment_store, "other_code", lambda codes: ["planted"])
    with pytest.raises(VersionsDiffer, match="was trained by other code"):
        read_scores(store, FILE, ["t-en"])
    monkeypatch.setattr(score_files, "FORMAT", 0)
    with pytest.raises(StoreUnusable, match="has format 1"):
        facts_of(store, FILE)


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    store = open_store(str(tmp_path / "s"))
    add_scores(store, FILE, {"t-en": table("en")})
    before = sorted(path.name for path in store.root.iterdir())

    def full(self, content):
        raise OSError(errno.ENOSPC, "planted")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(DiskFull, match="no room left under"):
            add_scores(store, FILE, {"t-sw": table("sw")})
    assert sorted(path.name for path in store.root.iterdir()) == before
    assert usable_tables(store, FILE) == {"t-en"}


def test_a_store_that_is_pruned_keeps_the_scores_that_a_running_trial_claims(tmp_path):
    from tasksearch.store.eviction import claim

    store = open_store(str(tmp_path / "s"))
    add_scores(store, FILE, {"t-en": table("en")})
    claim(store, [FILE])
    assert prune(store, 0) == []


def test_a_trial_of_xtreme_writes_one_file_of_scores_with_two_syncs_a_target(tmp_path, monkeypatch):
    """Where a sync takes 50 ms (a network disk), 160 tables in folders of their own took 480 of them, 24 seconds a trial."""
    store, synced = open_store(str(tmp_path / "s")), []
    monkeypatch.setattr(segment_store.os, "fsync", synced.append)
    targets, languages, rows = 10, 16, np.ones((50, 2), dtype=np.float32)
    for target in range(targets):
        tables = {
            f"{target:04d}{language:020d}": NewTable(
                arrays={f"t{target}/l{language}/{half}": rows for half in ("select", "report")}, label="x", seconds=1.0
            )
            for language in range(languages)
        }
        add_scores(store, FILE, tables, {f"t{target}": {"label": "x", "steps": 1, "seconds": 1.0}})
    assert len(synced) == 2 * targets
    files = [path for path in store.root.rglob("*") if path.is_file() and path.name != ".scores.lock"]
    assert len(files) == 1 and len(facts_of(store, FILE).tables) == targets * languages
    # a study's trial: its record, outcomes and scores; of each of at most five stages manifest, model, heads, moments, uses
    assert 500 * (2 + len(files) + 5 * 5) < 20_000
