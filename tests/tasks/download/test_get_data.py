"""Fetching for cards of a small suite from a server on this machine: archives, other copies, the record, what breaks."""

import hashlib
import io
import json
import zipfile
from dataclasses import replace

import pytest

from tasksearch.core.errors import BadInput, DataMissing, DiskFull, Unreachable
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.download import act, plan, published
from tasksearch.tasks.download.act import get_data
from tasksearch.tasks.download.published import Archive
from tasksearch.tasks.download.record import NAME, read_record
from tasksearch.tasks.download.transfer import Download
from tasksearch.tasks.source_spec import Files, FirstOf

LINES = b'{"a": "moja", "label": "x"}\n'


def sentences(*paths):
    files = tuple(Files(format="jsonl", path=path) for path in paths)
    return TaskCard(
        name="t", kind="sentence", role="target", languages=("sw", "yo"), labels=("x",), source=FirstOf(sources=files),
        train=(Files(format="jsonl", path="en/train.jsonl"),), how_to_get="ask the authors",
    )  # fmt: skip


def packed(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


@pytest.fixture
def facts(server, monkeypatch):
    """Puts files on the server, and what is known of them where `published` would have it."""
    known, archives = {}, []
    monkeypatch.setattr(published, "published_files", lambda: known)
    monkeypatch.setattr(plan, "ARCHIVES", archives)
    published.matching.cache_clear()

    def publish(place, content=LINES, *, sure=True, **how):
        url = server.put(f"/h/{place}", content, **how)
        digest = hashlib.sha256(content).hexdigest() if sure else ""
        known[place] = Download(url=url, place=place, size=len(content) if sure else None, sha256=digest)
        return known[place]

    def bundle(name, folder, members, files):
        url = server.put(f"/h/{name}", packed(files))
        archives.append(Archive(file=Download(url=url, place=f".downloads/{name}"), folder=folder, members=members))
        return archives[-1]

    publish.bundle = bundle
    yield publish
    published.matching.cache_clear()


EVERY = [f"{language}/{split}.jsonl" for language in ("sw", "yo") for split in ("dev", "test")] + ["en/train.jsonl"]


def test_everything_a_card_reads_is_put_where_it_is_read_and_recorded(facts, tmp_path):
    files = [facts(place) for place in EVERY]
    outcome = get_data(tmp_path, [sentences("{language}/{split}.jsonl")], ())
    assert {item.place for item in outcome.fetched} == set(EVERY)
    assert not outcome.failed and not outcome.left.items and not outcome.left.by_hand
    assert all((tmp_path / place).read_bytes() == LINES for place in EVERY)
    assert read_record(tmp_path).files == {
        file.url: {"place": file.place, "bytes": len(LINES), "sha256": file.sha256} for file in files
    }


def test_what_is_there_is_not_asked_for(facts, server, tmp_path):
    for place in EVERY:
        facts(place)
    card = sentences("{language}/{split}.jsonl")
    get_data(tmp_path, [card], ("sw",))
    server.asked.clear()
    outcome = get_data(tmp_path, [card], ())
    assert sorted(path for path, _ in server.asked) == ["/h/yo/dev.jsonl", "/h/yo/test.jsonl"]
    assert outcome.left.there == 5


def test_a_copy_that_cannot_be_had_is_replaced_by_the_next_and_told(facts, tmp_path):
    for place in EVERY:
        facts(place)
        facts(f"second/{place}")
    facts("yo/test.jsonl", status=404)
    facts("en/train.jsonl", LINES)
    seen = []
    card = sentences("{language}/{split}.jsonl", "second/{language}/{split}.jsonl")
    outcome = get_data(tmp_path, [card], (), on_item=lambda item, fault: seen.append((item.place, fault)))
    assert (tmp_path / "second/yo/test.jsonl").is_file() and not (tmp_path / "yo/test.jsonl").exists()
    assert not outcome.left.by_hand
    (fault,) = outcome.failed.values()
    assert isinstance(fault, DataMissing) and "yo/test.jsonl: 404" in str(fault)
    assert ("yo/test.jsonl", fault) in seen


def test_without_another_copy_the_rest_is_fetched_and_the_card_says_what_is_left(facts, tmp_path):
    for place in EVERY:
        facts(place)
    wrong = facts("sw/dev.jsonl")
    facts_of = published.published_files()
    facts_of["sw/dev.jsonl"] = replace(wrong, sha256="0" * 64)
    outcome = get_data(tmp_path, [sentences("{language}/{split}.jsonl")], ())
    assert outcome.left.by_hand == {"t": ("sw dev",)}
    assert len(outcome.fetched) == 4
    assert isinstance(*outcome.failed.values(), BadInput)
    assert not (tmp_path / "sw/dev.jsonl").exists()


def test_an_archive_is_unpacked_to_where_its_members_are_read_and_goes(facts, tmp_path):
    facts("en/train.jsonl")
    facts.bundle("x.zip", "top", ("??/*.jsonl",), {f"v1/{place}": LINES for place in EVERY} | {"v1/README": b"r"})
    outcome = get_data(tmp_path, [sentences("top/{language}/{split}.jsonl")], ())
    assert not outcome.failed and not outcome.left.by_hand
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {NAME, "en/train.jsonl", *(f"top/{place}" for place in EVERY)}


def test_a_fetch_stopped_while_it_unpacked_begins_the_unpacking_again(facts, server, tmp_path, monkeypatch):
    facts("en/train.jsonl")
    facts.bundle("x.zip", "top", ("??/*.jsonl",), dict.fromkeys(EVERY, LINES))
    card = sentences("top/{language}/{split}.jsonl")

    def stopped(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(act, "unpack", stopped)
        with pytest.raises(KeyboardInterrupt):
            get_data(tmp_path, [card], ())
    assert (tmp_path / ".downloads/x.zip").is_file()
    server.asked.clear()
    outcome = get_data(tmp_path, [card], ())
    assert not outcome.left.by_hand
    assert server.asked == []  # the archive was there whole
    assert not (tmp_path / ".downloads").exists()


@pytest.mark.parametrize(
    ("files", "said"), [({"v1/README": b"r"}, "holds none of"), ({"v1/sw/dev.jsonl": LINES}, "does not hold all that t reads")]
)
def test_an_archive_without_what_is_read_is_told(facts, tmp_path, files, said):
    facts("en/train.jsonl")
    facts.bundle("x.zip", "top", ("??/*.jsonl",), files)
    outcome = get_data(tmp_path, [sentences("top/{language}/{split}.jsonl")], ())
    assert said in str(*outcome.failed.values())
    assert set(outcome.left.by_hand["t"]) >= {"sw test", "yo dev", "yo test"}


def test_a_damaged_archive_is_fetched_anew_by_the_next_call(facts, server, tmp_path):
    facts("en/train.jsonl")
    facts.bundle("x.zip", "top", ("??/*.jsonl",), dict.fromkeys(EVERY, LINES))
    whole = server.pages["/h/x.zip"].content
    server.put("/h/x.zip", whole[:-30])
    card = sentences("top/{language}/{split}.jsonl")
    outcome = get_data(tmp_path, [card], ())
    assert "damaged archive" in str(*outcome.failed.values())
    server.put("/h/x.zip", whole)
    assert not get_data(tmp_path, [card], ()).left.by_hand


def test_where_no_checksum_is_published_the_first_fetch_s_is_held_to(facts, server, tmp_path):
    for place in EVERY:
        facts(place, sure=False)
    card = sentences("{language}/{split}.jsonl")
    assert not get_data(tmp_path, [card], ()).failed
    server.put("/h/sw/dev.jsonl", LINES + LINES)
    (tmp_path / "sw/dev.jsonl").unlink()
    outcome = get_data(tmp_path, [card], ())
    assert "are offered, expected" in str(*outcome.failed.values())
    assert outcome.left.by_hand == {"t": ("sw dev",)}


def test_a_dead_host_is_not_asked_for_every_file(facts, server, tmp_path):
    for place in EVERY:
        facts(place, status=503)
    outcome = get_data(tmp_path, [sentences("{language}/{split}.jsonl")], ())
    assert all(isinstance(fault, Unreachable) for fault in outcome.failed.values())
    assert len(outcome.failed) == 5
    assert not (tmp_path / NAME).exists()


def test_a_full_disk_ends_it_and_keeps_what_is_there(facts, tmp_path, monkeypatch):
    for place in EVERY:
        facts(place)

    def full(file, *_, **__):
        raise DiskFull(f"no room left to write {file.place}")

    with monkeypatch.context() as patch, pytest.raises(DiskFull):
        patch.setattr(act, "fetch", full)
        get_data(tmp_path, [sentences("{language}/{split}.jsonl")], ())


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 2}', '{"format": 1, "files": {"u": {}}, "hub": {}}'])
def test_a_record_that_cannot_be_read_is_named_before_anything_is_fetched(facts, server, tmp_path, content):
    (tmp_path / NAME).write_text(content)
    with pytest.raises(BadInput, match=NAME) as told:
        get_data(tmp_path, [sentences("{language}/{split}.jsonl")], ())
    assert "\n" not in str(told.value)
    assert server.asked == []


def test_the_record_is_plain_json_in_order(facts, tmp_path):
    for place in EVERY:
        facts(place)
    get_data(tmp_path, [sentences("{language}/{split}.jsonl")], ())
    said = json.loads((tmp_path / NAME).read_text())
    assert said["format"] == 1 and list(said["files"]) == sorted(said["files"])
