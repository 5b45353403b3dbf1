"""Every kind of store keeps the same promises; what a study cannot use is one line at its start."""

import errno
import json
from pathlib import Path

import pytest
import torch

from tasksearch.core.code_identity import code_hash
from tasksearch.core.errors import BadInput, DiskFull, StoreUnusable
from tasksearch.store.eviction import entries, verify
from tasksearch.store.remote import RemoteStore, open_store
from tasksearch.store.segment_store import MANIFEST, SegmentDamaged, SegmentStore
from tasksearch.store.verification import MARK, check_store

NAME = "ab" * 12
TABLES = {"model": {"w": torch.arange(6.0)}, "heads": {"h/b": torch.ones(2)}}
FACTS = {"kind": "intermediate", "heads": ["h"], "seconds": 1.5, "steps": 4, "label": "joint"}


@pytest.fixture(params=["folder", "memory", "local"])
def store(request, tmp_path):
    import fsspec

    address = {"folder": str(tmp_path / "s"), "memory": f"memory://{tmp_path.name}", "local": f"local://{tmp_path}/s"}
    yield open_store(address[request.param])
    fsspec.filesystem("memory").store.clear()


def overwrite(store, name, file, change):
    """Changes the bytes of a stored file behind the store's back."""
    if isinstance(store, RemoteStore):
        path = f"{store._at(name)}/{file}"
        store._fs.pipe_file(path, change(store._fs.cat_file(path)))
    else:
        path = store.folder(name) / file
        path.write_bytes(change(path.read_bytes()))


def test_what_is_put_comes_back_is_listed_and_can_be_put_again(store):
    assert store.manifest(NAME) is None
    for _ in range(2):
        store.put(NAME, TABLES, FACTS)
    assert store.manifest(NAME)["facts"] == FACTS | {"code": code_hash()}
    for file, table in TABLES.items():
        assert all(torch.equal(store.tensors(NAME, file)[key], value) for key, value in table.items())
    [entry] = entries(store)
    assert (entry.name, entry.kind, entry.seconds, entry.steps, entry.label) == (NAME, "intermediate", 1.5, 4, "joint")
    assert entry.size > 40 and entry.used > 1e9
    assert verify(store) == []


@pytest.mark.parametrize("change", [lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b[:-1], lambda b: b""])
def test_a_changed_byte_is_found_when_it_is_read_and_the_segment_can_be_put_again(store, change):
    store.put(NAME, TABLES, FACTS)
    overwrite(store, NAME, "model.safetensors", change)
    assert verify(store) == [NAME]
    with pytest.raises(SegmentDamaged):
        if store.manifest(NAME) is None:
            raise SegmentDamaged(NAME)
        store.tensors(NAME, "model")
    assert store.damaged == [NAME]
    store.put(NAME, TABLES, FACTS)
    assert torch.equal(store.tensors(NAME, "model")["w"], TABLES["model"]["w"]) and verify(store) == []


def test_without_its_manifest_a_segment_is_not_there(store):
    store.put(NAME, TABLES, FACTS)
    if isinstance(store, RemoteStore):
        store._fs.rm_file(f"{store._at(NAME)}/{MANIFEST}")
    else:
        (store.folder(NAME) / MANIFEST).unlink()
    assert store.manifest(NAME) is None and entries(store) == [] and store.damaged == []
    store.put(NAME, TABLES, FACTS)
    assert store.manifest(NAME) is not None


def test_the_manifest_is_written_last_on_an_object_store(tmp_path):
    store = open_store(f"local://{tmp_path}/s")
    order = []
    put = store._fs.put_file
    store._fs.put_file = lambda source, there: (order.append(there.rpartition("/")[2]), put(source, there))
    try:
        store.put(NAME, TABLES, FACTS)
    finally:
        del store._fs.put_file
    assert len(order) == 3 and order[-1] == MANIFEST


def test_a_segment_of_a_newer_version_is_said_so(store):
    store.put(NAME, TABLES, FACTS)
    overwrite(store, NAME, MANIFEST, lambda b: json.dumps(json.loads(b) | {"format": 99}).encode())
    with pytest.raises(StoreUnusable, match="has format 99; expected at most 1"):
        store.manifest(NAME)


def address_of(store):
    return str(store) if isinstance(store, RemoteStore) else str(store.root)


def test_a_store_of_a_newer_format_is_refused_at_the_start(store):
    check_store(address_of(store))
    check_store(address_of(store))
    if isinstance(store, RemoteStore):
        store.write(MARK, b'{"format": 7}')
    else:
        (store.root / MARK).write_text('{"format": 7}')
    with pytest.raises(StoreUnusable, match="has format 7; expected at most 1"):
        check_store(address_of(store))


def test_a_probe_leaves_nothing_but_the_stores_mark(tmp_path):
    check_store(str(tmp_path / "s"))
    assert [path.name for path in (tmp_path / "s").iterdir()] == [MARK]


@pytest.mark.parametrize(
    ("number", "error", "said"),
    [(errno.EROFS, StoreUnusable, "cannot be written"), (errno.EACCES, StoreUnusable, "cannot be written"),
     (errno.ENOSPC, DiskFull, "no room left"), (errno.EIO, StoreUnusable, "cannot be used")],
)  # fmt: skip
def test_a_store_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, number, error, said):
    def refuse(self, *rest, **options):
        raise OSError(number, "planted")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(error, match=said) as caught:
        check_store(str(tmp_path / "s"))
    assert "\n" not in str(caught.value)


def test_a_file_system_that_renames_onto_what_is_there_is_refused(tmp_path, monkeypatch):
    import shutil

    def careless(self, target):
        shutil.rmtree(target, ignore_errors=True)
        return self.replace(target)

    monkeypatch.setattr(Path, "rename", careless)
    with pytest.raises(StoreUnusable, match="without atomic rename"):
        check_store(str(tmp_path / "s"))


def test_an_unknown_kind_of_address_names_what_was_expected():
    with pytest.raises(BadInput, match="expected a folder or an fsspec URL"):
        open_store("s4://bucket")
    assert isinstance(open_store("file:///tmp/x"), SegmentStore)


def test_a_store_of_the_version_before_is_read_and_what_is_trained_again_is_said_once(tmp_path, caplog):
    old = SegmentStore(tmp_path)
    old.put(NAME, TABLES, FACTS)
    (tmp_path / MARK).write_text('{"format": 1}')
    for _ in range(2):
        check_store(str(tmp_path))
    assert [r.message for r in caplog.records] == [
        f"{tmp_path} was written by an older version, whose target phases were named by their languages too: its intermediate "
        "segments are reused, its target phases are trained again"
    ]
    assert old.manifest(NAME)["facts"] == FACTS | {"code": code_hash()}
