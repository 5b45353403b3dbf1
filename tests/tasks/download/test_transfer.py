"""One file from a server on this machine: whole and checked at its place, or not there."""

import hashlib
import os
import signal
import subprocess
import sys
import time

import pytest

from tasksearch.core.errors import BadInput, DataMissing, Unreachable
from tasksearch.tasks.download import transfer
from tasksearch.tasks.download.transfer import Download, check_address, fetch, git_blob_of, mirrored, place_of

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def names(root):
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def test_a_file_is_put_at_its_place_and_counted(server, tmp_path):
    url, counted = server.put("/a/b.tsv", CONTENT), []
    file = Download(url=url, place="x/y/b.tsv", size=len(CONTENT), sha256=SHA256)
    assert fetch(file, tmp_path, on_bytes=counted.append) == SHA256
    assert (tmp_path / "x/y/b.tsv").read_bytes() == CONTENT
    assert sum(counted) == len(CONTENT)
    assert names(tmp_path) == ["b.tsv"]


@pytest.mark.parametrize("cuts", [[1], [100_000, 200_000, 7]])
@pytest.mark.parametrize("known", [{"sha256": SHA256}, {}])
def test_a_connection_that_breaks_off_is_taken_up_where_it_broke(server, tmp_path, cuts, known):
    url, counted = server.put("/f", CONTENT, etag='"1"', cut=list(cuts)), []
    fetch(Download(url=url, place="f", **known), tmp_path, on_bytes=counted.append)
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == ["", *(f"bytes={sum(cuts[: n + 1])}-" for n in range(len(cuts)))]
    assert sum(counted) == len(CONTENT)


def test_a_server_that_breaks_off_again_and_again_leaves_the_beginning_for_the_next_call(server, tmp_path):
    url = server.put("/f", CONTENT, cut=[1000] * transfer.TRIES)
    file = Download(url=url, place="f", size=len(CONTENT), sha256=SHA256)
    with pytest.raises(Unreachable, match="broke off after"):
        fetch(file, tmp_path)
    assert not (tmp_path / "f").exists()
    have = (tmp_path / ".f.part").stat().st_size
    assert have == 1000 * transfer.TRIES
    server.asked.clear()
    counted = []
    fetch(file, tmp_path, on_bytes=counted.append)
    assert server.asked == [("/f", f"bytes={have}-")]
    assert sum(counted) == len(CONTENT)
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_killed_fetch_goes_on_from_what_it_had(server, tmp_path):
    """The process is killed, not asked: nothing of it can clean up."""
    url = server.put("/f", CONTENT * 40, etag='"1"')
    code = (
        "import sys, time; from pathlib import Path; from tasksearch.tasks.download.transfer import Download, fetch;"
        "fetch(Download(url=sys.argv[1], place='f'), Path(sys.argv[2]), on_bytes=lambda n: time.sleep(0.01))"
    )
    child = subprocess.Popen([sys.executable, "-c", code, url, str(tmp_path)])
    part = tmp_path / ".f.part"
    until = time.monotonic() + 60
    while time.monotonic() < until and not (part.is_file() and part.stat().st_size > 500_000):
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    have = part.stat().st_size
    assert 0 < have < len(CONTENT) * 40
    assert not (tmp_path / "f").exists()
    server.asked.clear()
    fetch(Download(url=url, place="f"), tmp_path)
    assert server.asked == [("/f", f"bytes={have}-")]
    assert (tmp_path / "f").read_bytes() == CONTENT * 40
    assert names(tmp_path) == ["f"]


def test_a_remote_file_that_changed_in_between_is_fetched_from_its_first_byte(server, tmp_path):
    url = server.put("/f", b"old " * 1000, etag='"old"', cut=[100] * transfer.TRIES)
    with pytest.raises(Unreachable):
        fetch(Download(url=url, place="f"), tmp_path)
    server.put("/f", b"new " * 1000, etag='"new"')
    counted = []
    fetch(Download(url=url, place="f"), tmp_path, on_bytes=counted.append)
    assert (tmp_path / "f").read_bytes() == b"new " * 1000
    assert sum(counted) == 4000


def test_a_beginning_of_which_nothing_tells_what_it_is_of_is_not_used(server, tmp_path):
    (tmp_path / ".f.part").write_bytes(b"something")
    url = server.put("/f", CONTENT)
    fetch(Download(url=url, place="f"), tmp_path)
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("have", [b"x" * 10, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 5)])
def test_a_wrong_beginning_is_found_by_the_checksum_and_fetched_anew(server, tmp_path, have):
    (tmp_path / ".f.part").write_bytes(have)
    counted = []
    file = Download(url=server.put("/f", CONTENT), place="f", size=len(CONTENT), sha256=SHA256)
    fetch(file, tmp_path, on_bytes=counted.append)
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert sum(counted) == len(CONTENT)


def test_a_server_without_ranges_is_read_from_the_start(server, tmp_path):
    url = server.put("/f", CONTENT, cut=[5000], ranges=False)
    fetch(Download(url=url, place="f", sha256=SHA256), tmp_path)
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"sha256": "0" * 64}, f"sha256 is {SHA256}, expected 0000"),
        ({"git_blob": "0" * 40}, "git blob id is [0-9a-f]{40}, expected 0000"),
        ({"size": 10}, f"{len(CONTENT)} bytes are offered, expected 10"),
        ({"size": len(CONTENT) + 1}, f"{len(CONTENT)} bytes arrived, expected {len(CONTENT) + 1}"),
    ],
)
def test_what_is_not_what_was_published_is_told_in_one_line_and_nothing_is_kept(server, tmp_path, facts, said):
    url = server.put("/f", CONTENT)
    with pytest.raises(BadInput, match=said) as told:
        fetch(Download(url=url, place="f", **facts), tmp_path)
    assert url in str(told.value) and "\n" not in str(told.value)
    assert names(tmp_path) == []


def test_a_file_without_a_stated_length_ends_at_the_bound(server, tmp_path, monkeypatch):
    url = server.put("/f", CONTENT, hide_length=True)
    fetch(Download(url=url, place="f"), tmp_path)
    assert (tmp_path / "f").read_bytes() == CONTENT
    monkeypatch.setattr(transfer, "LARGEST_UNKNOWN", 1000)
    with pytest.raises(BadInput, match="more than 1000 bytes arrived"):
        fetch(Download(url=url, place="g"), tmp_path)
    assert names(tmp_path) == ["f"]


def test_a_file_that_is_not_there_is_not_asked_for_twice(server, tmp_path):
    with pytest.raises(DataMissing, match=r"/nowhere: 404 "):
        fetch(Download(url=f"{server.url}/nowhere", place="f"), tmp_path)
    assert len(server.asked) == 1


def test_a_server_that_is_busy_is_asked_again(server, tmp_path):
    url = server.put("/f", status=503)
    with pytest.raises(Unreachable, match="503"):
        fetch(Download(url=url, place="f"), tmp_path)
    assert len(server.asked) > 1


def test_redirections_are_followed_to_https_alone(server, tmp_path):
    server.put("/there", CONTENT)
    url = server.put("/here", status=302, location=f"{server.url}/there")
    assert fetch(Download(url=url, place="f"), tmp_path) == SHA256  # from this machine to this machine
    for location in ("http://example.org/x", "ftp://example.org/x", "file:///etc/passwd"):
        url = server.put("/away", status=302, location=location)
        with pytest.raises((BadInput, DataMissing), match=r"only https is followed|is not allowed"):
            fetch(Download(url=url, place="g"), tmp_path)
    assert names(tmp_path) == ["f"]


@pytest.mark.parametrize(
    "url", ["http://example.org/f", "ftp://example.org/f", "file:///etc/passwd", "example.org", "https:///f"]
)
def test_only_https_is_asked(url, tmp_path):
    with pytest.raises(BadInput, match="expected an address that begins with https://"):
        fetch(Download(url=url, place="f"), tmp_path)


def test_http_is_for_this_machine_alone():
    for url in ("https://example.org/f", "http://127.0.0.1:8000/f", "http://localhost/f", "http://[::1]/f"):
        check_address(url)


@pytest.mark.parametrize("place", ["../f", "a/../../f", "/etc/f", "a\\..\\f", "", "a/link/f"])
def test_no_place_leaves_the_data_folder(place, tmp_path):
    root = tmp_path / "data"
    (root / "a").mkdir(parents=True)
    (root / "a/link").symlink_to(tmp_path)
    with pytest.raises(BadInput, match="leaves the data folder"):
        place_of(root, place)


def test_a_mirror_holds_host_and_path():
    assert mirrored("https://h.org/a/b.tsv", "http://127.0.0.1:9/m/") == "http://127.0.0.1:9/m/h.org/a/b.tsv"
    assert mirrored("https://h.org/a/b.tsv", "") == "https://h.org/a/b.tsv"


def test_the_git_id_is_git_s(tmp_path):
    (tmp_path / "f").write_bytes(b"hello\n")
    assert git_blob_of(tmp_path / "f") == "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object
