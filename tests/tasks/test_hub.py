"""The hub as a server of our own: parquet in main, the bot's copy of a script's data, and what must be refused."""

import json
import os
import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasksearch.core.errors import BadInput
from tasksearch.tasks.hub import check_id

MAIN, BOT = "a" * 40, "b" * 40


class Hub(ThreadingHTTPServer):
    """Speaks the part of the hub's protocol that `datasets` uses, over {(id, revision): (commit, {path: bytes})}."""

    def __init__(self, repositories):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories = repositories
        self.asked = []

    def files(self, identity, revision):
        for (name, known), (commit, files) in self.repositories.items():
            if name == identity and revision in (known, commit):
                return commit, files
        return None, "RevisionNotFound" if any(name == identity for name, _ in self.repositories) else "RepoNotFound"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/api/datasets/"):
            identity, rest = "/".join(path.split("/")[3:5]), "/".join(path.split("/")[5:])
            action, _, tail = rest.partition("/")
            revision = tail or "main"
            if action == "tree":
                known = [r for n, r in self.server.repositories if n == identity] + [
                    c for c, _ in self.server.repositories.values()
                ]
                revision = next((r for r in sorted(known, key=len, reverse=True) if tail.startswith(r)), tail)
            commit, files = self.server.files(identity, revision)
            if commit is None:
                return self.fail(files)
            if action == "tree":
                return self.tree(files, tail[len(revision) :].strip("/"))
            siblings = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
            return self.answer({"id": identity, "sha": commit, "siblings": siblings})
        if path.startswith("/datasets/"):
            identity, rest = "/".join(path.split("/")[2:4]), "/".join(path.split("/")[5:])
            revision = next((c for c, _ in self.server.repositories.values() if rest.startswith(c)), rest.split("/")[0])
            commit, files = self.server.files(identity, revision)
            if commit is None:
                return self.fail(files)
            content = files.get(rest[len(revision) + 1 :])
            return self.fail("EntryNotFound") if content is None else self.send(content, {"X-Repo-Commit": commit})
        return self.fail("EntryNotFound")

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(self.path)
        parts = unquote(self.path).split("/")
        _, files = self.server.files("/".join(parts[3:5]), "/".join(parts[6:]))
        wanted = (
            json.loads(body)["paths"] if body.startswith(b"{") else [unquote(p.split("=")[1]) for p in body.decode().split("&")]
        )
        self.answer([self.entry(name, files[name]) for name in wanted if name in files])

    def tree(self, files, folder):
        inside = {name: content for name, content in files.items() if name.startswith(f"{folder}/" if folder else "")}
        if folder and not inside:
            self.fail("EntryNotFound")
            return
        folders = {name.rsplit("/", n)[0] for name in inside for n in range(1, name.count("/") + 1)} - {folder}
        self.answer(
            [{"type": "directory", "path": name, "oid": "d"} for name in sorted(folders)]
            + [self.entry(*i) for i in inside.items()]
        )

    def entry(self, name, content):
        return {"type": "file", "path": name, "size": len(content), "oid": f"{abs(hash(content)):040x}"}

    def answer(self, value):
        self.send(json.dumps(value).encode(), {"Content-Type": "application/json"})

    def fail(self, code):
        self.send(b"{}", {"X-Error-Code": code, "X-Error-Message": code}, 404)

    def send(self, content, headers, status=200):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), "ETag": f'"{abs(hash(content)):x}"', **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *words):
        pass


def parquet(**columns):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


CARD = textwrap.dedent("""\
    ---
    configs:
    - config_name: XNLI
      data_files:
      - split: test
        path: XNLI/test-*
    - config_name: bucc18.de
      data_files:
      - split: validation
        path: bucc18.de/validation-*
      - split: test
        path: bucc18.de/test-*
    ---
    """).encode()
PAIRS = parquet(
    language=["sw", "ur", "sw"],
    sentence1=["a", "b", "c"],
    sentence2=["d", "e", "f"],
    gold_label=["neutral", "neutral", "entailment"],
)
MINED = parquet(source_sentence=["eins", "zwei"], target_sentence=["one", "two"])
TABLES = {"README.md": CARD, "XNLI/test-00000-of-00001.parquet": PAIRS} | {
    f"bucc18.de/{split}-00000-of-00001.parquet": MINED for split in ("validation", "test")
}
REPOSITORIES = {
    ("google/xtreme", "main"): (MAIN, TABLES),
    ("allenai/cosmos_qa", "main"): ("c" * 40, {"README.md": b"", "cosmos_qa.py": b"raise SystemExit('a script was run')"}),
    ("allenai/cosmos_qa", "refs/convert/parquet"): (BOT, {"default/train/0000.parquet": parquet(id=["1"], label=[2])}),
    ("someone/script", "main"): ("d" * 40, {"script.py": b"raise SystemExit('a script was run')"}),
    ("someone/text", "main"): ("e" * 40, {"README.md": b"", "notes/x.parquet": PAIRS, "train.csv": b"a,b\n1,2\n"}),
}

ASK = """
import json, sys
from tasksearch.core.errors import TasksearchError
from tasksearch.tasks.hub import load_table, pin
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.resolve import read_source, fingerprint
from tasksearch.tasks.source_spec import Hub

def told(act):
    try:
        return act()
    except TasksearchError as fault:
        return f"{type(fault).__name__}: {fault}"

def xnli():
    labels = ("contradiction", "entailment", "neutral")
    card = TaskCard(name="xnli", kind="pair", role="target", languages=("sw",), labels=labels)
    source = Hub(
        id="google/xtreme", config="XNLI", columns=(("a", "sentence1"), ("b", "sentence2"), ("label", "gold_label")),
        equal=(("language", "{code}"),),
    )
    pins = []
    reading = read_source(None, card, source, "sw", "test", on_pin=lambda found: pins.append(found.commit))
    return [[e.id, e.text_a, e.text_b, e.label] for e in reading.examples], pins, fingerprint(None, card, source, "sw", "test")

def converted():
    found = pin("allenai/cosmos_qa")
    return found.commit, found.converted, load_table(found, "default", "train")["label"][0]

asked = {
    "xnli": xnli,
    "converted": converted,
    "script": lambda: pin("someone/script"),
    "nobody": lambda: pin("nobody/nothing"),
    "config": lambda: load_table(pin("google/xtreme"), "XMLI", "test"),
    "split": lambda: load_table(pin("google/xtreme"), "XNLI", "train"),
    "text": lambda: load_table(pin("someone/text"), "default", "train"),
    "bare": lambda: pin("squad"),
}
wanted = sys.argv[1].split(",")
print(json.dumps({name: told(asked[name]) for name in wanted}))
"""


def ask(home, endpoint, *names, **environment):
    told = subprocess.run(
        [sys.executable, "-c", ASK, ",".join(names)],
        env=os.environ
        | {"HF_ENDPOINT": endpoint, "HF_HOME": str(home / "hf"), "TASKSEARCH_CACHE": str(home / "cache")}
        | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def hub():
    server = Hub(dict(REPOSITORIES))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def told(hub, home):
    names = ("xnli", "converted", "script", "nobody", "config", "split", "text", "bare")
    return ask(home, f"http://127.0.0.1:{hub.server_port}", *names)


def test_a_table_of_main_is_read_at_the_commit_that_is_written_down(told, home):
    examples, pins, fingerprint = told["xnli"]
    assert examples == [["1", "a", "d", 2], ["3", "c", "f", 1]]
    assert pins == [MAIN]
    assert fingerprint.startswith(f"google/xtreme@{MAIN}/")
    assert json.loads((home / "cache/hub/google--xtreme--main.json").read_text())["commit"] == MAIN


def test_a_script_is_never_run_its_converted_copy_is_read(told):
    assert told["converted"] == [BOT, True, 2]


def test_what_cannot_be_read_is_one_line_that_says_what_to_do(told):
    assert told["script"].startswith("DataMissing: hub data set 'someone/script' holds no parquet")
    assert "fetch its original files by hand" in told["script"]
    assert told["nobody"].startswith("DataMissing: no hub data set 'nobody/nothing'")
    assert "XMLI" in told["config"] and told["config"].startswith("DataMissing: hub data set 'google/xtreme' (XMLI, test)")
    assert told["split"].startswith("DataMissing: hub data set 'google/xtreme' (XNLI, train)")
    assert told["text"].endswith("its files are not parquet but csv; nothing else is read")
    assert told["bare"] == "BadInput: hub data set 'squad'; expected 'namespace/name', as in rajpurkar/squad"
    assert all("\n" not in line for line in told.values() if isinstance(line, str))


def test_what_was_fetched_is_read_again_without_the_hub_and_what_was_not_is_told_in_one_line(told, home):
    dead = ask(home, "http://127.0.0.1:9", "xnli", "converted", "nobody", HF_HUB_OFFLINE="1")
    assert dead["xnli"] == told["xnli"]
    assert dead["converted"] == told["converted"]
    assert dead["nobody"] == "Unreachable: hub data set 'nobody/nothing' was never fetched here and HF_HUB_OFFLINE is set"


def test_a_hub_that_refuses_or_says_nothing_is_asked_once(home, tmp_path):
    silent = ask(tmp_path, "http://127.0.0.1:9", "converted", "script")
    for name in ("allenai/cosmos_qa", "someone/script"):
        line = next(text for text in silent.values() if name in text)
        assert line.startswith(f"Unreachable: http://127.0.0.1:9 did not answer for data set '{name}'")


def get(home, endpoint, data, *arguments):
    """`tasksearch data get` for a card that the hub alone has."""
    command = ("data", "get", "--suite", "xtreme", "--task", "bucc_pairs_proxy", "--language", "de", "--data", str(data))
    return subprocess.run(
        [sys.executable, "-m", "tasksearch", *command, *arguments],
        env=os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(home / "hf"), "TASKSEARCH_CACHE": str(home / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_data_get_fetches_a_hub_s_tables_and_records_the_commit_for_other_machines(hub, tmp_path):
    endpoint, data = f"http://127.0.0.1:{hub.server_port}", tmp_path / "data"
    told = get(tmp_path / "one", endpoint, data, "--yes")
    assert told.returncode == 0, told.stderr
    assert f"2 hub tables, {2 * len(MINED) / 1000:.3g} KB, from hub: google/xtreme; licence: research use" in told.stdout
    assert "fetched 2 hub tables" in told.stdout
    assert json.loads((data / "tasksearch-data.json").read_text())["hub"]["google/xtreme"]["commit"] == MAIN
    # another machine with the folder, at a time when `main` is another commit: what was recorded is fetched
    later = Hub({("google/xtreme", "main"): ("f" * 40, {}), ("google/xtreme", "then"): (MAIN, TABLES)})
    threading.Thread(target=later.serve_forever, daemon=True).start()
    try:
        again = get(tmp_path / "two", f"http://127.0.0.1:{later.server_port}", data, "--yes")
    finally:
        later.shutdown()
        later.server_close()
    assert again.returncode == 0, again.stderr + again.stdout
    assert json.loads((tmp_path / "two/cache/hub/google--xtreme--main.json").read_text())["commit"] == MAIN


@pytest.mark.parametrize("identity", ["squad", "a/b/c", "/squad", "a/", "../x", "a b/c"])
def test_an_id_is_a_namespace_and_a_name(identity):
    with pytest.raises(BadInput, match="expected 'namespace/name'"):
        check_id(identity)
