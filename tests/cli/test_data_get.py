"""`tasksearch data get` as a newcomer types it: the authors' own bytes from a mirror here, then `data check` finds them."""

import gzip
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import BadInput, DataMissing, TasksearchError, UnknownName, Unreachable
from tasksearch.tasks.download.published import published_files


def call(*arguments):
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


def refused(*arguments):
    result = call(*arguments)
    assert isinstance(result.exception, TasksearchError), (result.output, result.exception)
    assert "\n" not in str(result.exception)
    return result.exception


@pytest.fixture
def mirror():
    """(address, {path: bytes}) of a server that holds copies as HOST/PATH."""
    pages, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content = pages.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", pages, asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def authors(shared_data, mirror):
    """The very bytes that three sets of authors publish, made again of the packed copies: their checksums tell."""
    _, pages, _ = mirror
    with gzip.open(shared_data / "eval/tatoeba/tatoeba_v1.tsv.gz", "rt", encoding="utf-8", newline="\n") as file:
        rows = [line.removesuffix("\n").split("\t") for line in file]
    column = {name: number for number, name in enumerate(rows[0])}
    swahili = [row for row in rows[1:] if row[column["lang"]] == "swh"]
    contents = {
        "tatoeba/tatoeba.swh-eng.swh": "".join(f"{row[column['src']]}\n" for row in swahili).encode(),
        "tatoeba/tatoeba.swh-eng.eng": "".join(f"{row[column['eng']]}\n" for row in swahili).encode(),
        "codah/fold_0/train.tsv": gzip.decompress((shared_data / "intermediate/codah/fold0.train.tsv.gz").read_bytes()),
        "mnli15k/multinli.train.en.tsv": gzip.decompress((shared_data / "intermediate/mnli15k/train.en.tsv.gz").read_bytes()),
    }
    for place, content in contents.items():
        pages["/" + published_files()[place].url.removeprefix("https://")] = content
    return contents


ASKED = ("--suite", "lowres", "--task", "tatoeba", "--task", "codah", "--task", "mnli", "--language", "swa")


def test_what_was_fetched_is_found_by_the_check_with_the_counts_of_the_cards(authors, mirror, tmp_path):
    address, _, asked = mirror
    result = call("get", *ASKED, "--data", tmp_path, "--mirror", address, "--yes")
    assert result.exit_code == 0, (result.output, result.exception)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*") if path.is_file()} == {
        *authors, "tasksearch-data.json",
    }  # fmt: skip
    assert "tatoeba: 2 files, 20.5 KB, from facebookresearch/LASER; licence: CC BY 2.0 FR" in result.output
    assert f"tasksearch data check --suite lowres --data {tmp_path}" in result.output.replace("\n", "")
    found = call("check", "--suite", "lowres", "--data", tmp_path, "--target", "tatoeba", "--language", "sw", "--no-leakage")
    assert found.exit_code == 0, found.output
    assert "390" in found.output
    asked.clear()
    again = call("get", *ASKED, "--data", tmp_path, "--mirror", address)
    assert again.exit_code == 0 and "is in" in again.output and "already" in again.output
    assert asked == []


def test_a_file_that_is_not_the_authors_is_refused_and_the_rest_is_kept(authors, mirror, tmp_path):
    address, pages, _ = mirror
    (path,) = [path for path in pages if path.endswith("train.tsv")]
    pages[path] = pages[path].replace(b"a", b"e", 1)
    result = call("get", *ASKED, "--data", tmp_path, "--mirror", address, "--yes")
    assert isinstance(result.exception, Unreachable)
    assert "FAILED" in result.output and "sha256 is" in result.output
    assert "BY HAND codah (en train): fold_0/" in result.output
    assert (tmp_path / "mnli15k/multinli.train.en.tsv").is_file()
    assert not (tmp_path / "codah/fold_0/train.tsv").exists()


def test_nothing_is_fetched_before_licences_and_sizes_are_agreed_to(mirror, tmp_path):
    address, _, asked = mirror
    assert "give --yes" in str(refused("get", *ASKED, "--data", tmp_path, "--mirror", address))
    assert asked == [] and list(tmp_path.iterdir()) == []


@pytest.fixture
def no_network(monkeypatch):
    def dead(*words, **named):
        raise OSError("no network here")

    monkeypatch.setattr(socket, "getaddrinfo", dead)
    monkeypatch.setattr(socket, "create_connection", dead)


def test_a_dry_run_lists_every_file_and_asks_no_network(no_network, tmp_path):
    result = call("get", *ASKED, "--data", tmp_path, "--dry-run")
    assert result.exit_code == 0, result.exception
    for place in ("tatoeba/tatoeba.swh-eng.swh", "codah/fold_0/train.tsv"):
        assert f"{published_files()[place].url} -> {place} (" in result.output
    assert "would fetch 4 files, 3.11 MB" in result.output
    assert list(tmp_path.iterdir()) == []
    hub = call("get", "--suite", "xtreme", "--task", "panx", "--language", "sw", "--data", tmp_path, "--dry-run")
    assert "hub: google/xtreme (PAN-X.sw, test)" in hub.output


def test_without_a_network_one_line_says_what_it_would_fetch(no_network, tmp_path, monkeypatch):
    monkeypatch.setattr("tasksearch.tasks.download.transfer.time.sleep", lambda seconds: None)
    told = str(refused("get", *ASKED, "--data", tmp_path, "--yes", "--quiet"))
    assert told.startswith("no network: would fetch 4 files, 3.11 MB, from ")
    assert "facebookresearch/LASER" in told and told.endswith("--dry-run lists them")


def test_what_nothing_is_known_to_give_says_how_it_is_got(tmp_path):
    result = call("get", "--suite", "xtreme", "--task", "ccg", "--data", tmp_path)
    assert isinstance(result.exception, DataMissing)
    assert "BY HAND ccg (en train): CCGbank needs a licence" in result.output


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (("--suite", "lowres", "--task", "tatoebe"), UnknownName, "did you mean 'tatoeba'"),
        (("--suite", "lowres", "--task", "xcopa", "--language", "de"), UnknownName, "language of these tasks 'de'"),
        (("--suite", "lab"), BadInput, "is generated"),
        (("--suite", "lowres", "--mirror", "http://example.org"), BadInput, "begins with https://"),
    ],
)
def test_a_slip_in_the_command_is_one_line(tmp_path, arguments, kind, said):
    fault = refused("get", *arguments, "--data", tmp_path, "--yes")
    assert isinstance(fault, kind) and said in str(fault)
