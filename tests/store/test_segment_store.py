"""A segment is in the store whole, or it is not there."""

import errno
import json

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError

from tasksearch.core.code_identity import code_hash
from tasksearch.core.errors import DiskFull, VersionsDiffer
from tasksearch.store import segment_store as store_module
from tasksearch.store.segment_store import MANIFEST, SegmentStore

NAME = "ab" * 12
TABLES = {"model": {"w": torch.arange(6.0)}, "heads": {"h/b": torch.ones(2)}}
FACTS = {"kind": "intermediate", "heads": ["h"], "seconds": 1.5}


@pytest.fixture
def store(tmp_path):
    kept = SegmentStore(tmp_path / "store")
    kept.put(NAME, TABLES, FACTS)
    return kept


def test_what_is_put_comes_back(store):
    assert store.manifest(NAME)["facts"] == FACTS | {"code": code_hash()}
    for file, table in TABLES.items():
        assert all(torch.equal(store.tensors(NAME, file)[key], value) for key, value in table.items())
    assert store.manifest("cd" * 12) is None


def test_a_segment_of_other_code_is_reused_only_where_that_is_accepted(store, monkeypatch):
    store.accept_versions = False
    assert store.reusable(NAME) == store.manifest(NAME)  # this code trained it
    monkeypatch.setattr(store_module, "code_hash", lambda: "1234")
    monkeypatch.setattr(store_module, "other_code", lambda found: [code for code in found if code and code != "1234"])
    with pytest.raises(
        VersionsDiffer, match=rf"{NAME[:12]}.* was trained by other code \({code_hash()}; this is 1234\)"
    ) as told:
        store.reusable(NAME)
    assert "--accept-versions" in str(told.value) and "\n" not in str(told.value)
    store.accept_versions = True
    assert store.reusable(NAME) == store.manifest(NAME)


@pytest.mark.parametrize("facts", [{}, {"code": None}])
def test_a_segment_from_before_the_code_was_recorded_is_reused(store, facts):
    store.accept_versions = False
    assert store.accepted({"signature": NAME, "facts": facts})["facts"] == facts


def test_an_equal_segment_put_twice_stays_and_leaves_nothing_beside_it(store):
    before = (store.folder(NAME) / MANIFEST).stat().st_mtime_ns
    store.put(NAME, TABLES, FACTS)
    assert (store.folder(NAME) / MANIFEST).stat().st_mtime_ns == before
    assert [path.name for path in store.root.iterdir()] == [NAME[:2]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.sampled_from(["model.safetensors", "heads.safetensors"]), st.data())
def test_a_flipped_bit_anywhere_in_a_file_takes_the_segment_away(store, file, data):
    path = store.folder(NAME) / file
    whole = path.read_bytes()
    place, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :])
    try:
        assert store.manifest(NAME) is None
    finally:
        path.write_bytes(whole)
    assert store.manifest(NAME) is not None


@pytest.mark.parametrize("change", ["cut", "gone", "no manifest", "list", "of another segment", "another format"])
def test_a_segment_that_is_not_as_its_manifest_says_is_not_there_and_can_be_put_again(store, change):
    folder = store.folder(NAME)
    manifest = json.loads((folder / MANIFEST).read_text())
    if change == "cut":
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-1])
    elif change == "gone":
        (folder / "heads.safetensors").unlink()
    elif change == "no manifest":
        (folder / MANIFEST).unlink()
    else:
        wrong = {"list": {"files": []}, "of another segment": {"signature": "cd" * 12}, "another format": {"format": 0}}
        (folder / MANIFEST).write_text(json.dumps(manifest | wrong[change]))
    assert store.manifest(NAME) is None
    store.put(NAME, TABLES, FACTS)
    assert store.manifest(NAME)["facts"] == FACTS | {"code": code_hash()}


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_said_in_one_line_and_leaves_nothing_half_written(tmp_path, monkeypatch, fault):
    def full(table, path):
        path.write_bytes(b"half")
        raise fault

    monkeypatch.setattr(store_module, "save_file", full)
    store = SegmentStore(tmp_path / "store")
    with pytest.raises(DiskFull, match="no room left under"):
        store.put(NAME, TABLES, FACTS)
    assert store.manifest(NAME) is None
    assert list(store.root.iterdir()) == []


def test_another_fault_of_the_writer_is_not_called_a_full_disk(tmp_path, monkeypatch):
    def broken(table, path):
        raise SafetensorError("Error while serializing: I/O error: Input/output error (os error 5)")

    monkeypatch.setattr(store_module, "save_file", broken)
    with pytest.raises(SafetensorError):
        SegmentStore(tmp_path).put(NAME, TABLES, FACTS)
