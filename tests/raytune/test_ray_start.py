"""A cluster as the README starts it: `ray start` for a head and a second node, with logical GPUs, in fresh and used homes.

Used is a home that holds the token which `ray.init` leaves there: from then on `ray start --head` guards its ports by it, and
`ray start --address` is refused there unless RAY_AUTH_MODE says that a token is to be used. The driver needs no such word.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from tasksearch.records.ledger import Ledger

pytestmark = pytest.mark.long
README = Path(__file__).parents[2] / "README.md"
RAY = Path(sys.executable).with_name("ray")
TOKEN = "[ -e ~/.ray/auth_token ] && export RAY_AUTH_MODE=token"
NODES = "ray start --head …; ray start --address …"
DRIVER_LINE = "tasksearch run … --address auto --concurrency 8 --lag 16"
DRIVER = """
import json, sys
sys.path.insert(0, sys.argv[1])
import planted_study as planted
from tasksearch.core.errors import TasksearchError
told = []
try:
    summary = planted.run(sys.argv[2], address=sys.argv[3], concurrency=8, lag=16, trials=6, leaders=1, sampler="random",
                          resources={"cpu": 0.5, "gpu": 0.5}, on_event=lambda e: told.append(getattr(e, "text", "")))
    print(json.dumps({"done": summary.done, "slots": summary.slot_use.slots, "told": [text for text in told if text]}))
except TasksearchError as error:
    print(json.dumps({"error": str(error), "code": error.exit_code}))
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def environment(home, temporary):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "TUNE_"))}
    return kept | {"HOME": str(home), "RAY_TMPDIR": str(temporary)}


def used(home):
    """As `ray.init` leaves it."""
    (home / ".ray").mkdir(parents=True)
    (home / ".ray" / "auth_token").write_text(secrets.token_hex(32))
    return home


class Nodes:
    """The head and a second node of this machine, ended by their process ids."""

    def __init__(self, home):
        self.home, self.temporary = home, Path(tempfile.mkdtemp(prefix="tsr", dir="/tmp"))  # sockets: a short path
        self.port, self.started = free_port(), []

    def __enter__(self):
        small = ["--num-cpus=1", "--num-gpus=1", "--object-store-memory=80000000", "--disable-usage-stats", "--block"]
        small += ["--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"]
        try:
            self.start("--head", f"--port={self.port}", "--include-dashboard=false", *small)
            self.wait_for("Local node IP", self.answers)
            self.wait_for("the note by which auto finds it", (self.temporary / "ray" / "ray_current_cluster").exists)
            self.start(f"--address=127.0.0.1:{self.port}", *small)
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, *options):
        command = ["bash", "-c", f'{TOKEN}; exec "$@"', "bash", str(RAY), "start", *options]
        home = environment(self.home, self.temporary)
        with (self.temporary / f"log{len(self.started)}").open("w") as log:
            self.started.append(subprocess.Popen(command, env=home, stdout=log, stderr=log, start_new_session=True))

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def wait_for(self, what, there, seconds=180):
        end = time.monotonic() + seconds
        while not there():
            assert time.monotonic() < end and self.started[0].poll() is None, (what, (self.temporary / "log0").read_text())
            time.sleep(0.5)

    def run(self, home, folder, address):
        command = [sys.executable, "-c", DRIVER, str(Path(__file__).parents[1]), str(folder), address]
        done = subprocess.run(command, env=environment(home, self.temporary), capture_output=True, text=True, timeout=300,
                              check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1]), done.stderr

    def __exit__(self, *_):
        family = [p for one in self.started if one.poll() is None for p in psutil.Process(one.pid).children(recursive=True)]
        for one in self.started:
            if one.poll() is None:
                one.send_signal(signal.SIGTERM)
        psutil.wait_procs(family, timeout=20)
        for process in family:
            if process.is_running():
                process.kill()
        for one in self.started:
            one.kill()
            one.wait(30)
        shutil.rmtree(self.temporary, ignore_errors=True)


def test_these_are_the_readmes_lines():
    text = README.read_text(encoding="utf-8")
    assert text.index(TOKEN) < text.index(NODES) < text.index(DRIVER_LINE)


def both_nodes(nodes, home, folder, address):
    """The second node may join after the first study began: tried until both are there."""
    for attempt in range(10):
        found, errors = nodes.run(home, folder / str(attempt), address)
        if found.get("slots") == 4:
            return found, errors, Ledger(folder / str(attempt)).records()
        assert found.get("slots") == 2, (found, errors)
        time.sleep(3)
    raise AssertionError("the second node never came")


@pytest.mark.parametrize("kind", ["fresh", "used"])
def test_a_study_runs_over_two_nodes_whatever_home_they_were_started_in(tmp_path, kind):
    home = used(tmp_path / "home") if kind == "used" else tmp_path / "home"
    home.mkdir(exist_ok=True)
    with Nodes(home) as nodes:
        found, errors, records = both_nodes(nodes, home, tmp_path / "auto", "auto")
        assert found["done"] == len(records) == 7 and errors == ""
        assert found["told"][0].startswith("2 nodes see study folder as the driver does")
        by_port, errors = nodes.run(home, tmp_path / "port", f"127.0.0.1:{nodes.port}")
        assert (by_port["done"], by_port["slots"], errors) == (7, 4, "")

        (stranger := tmp_path / "stranger").mkdir()
        for other in (stranger, used(tmp_path / "other")):
            found, errors = nodes.run(other, tmp_path / other.name / "study", f"127.0.0.1:{nodes.port}")
            if kind == "fresh":
                assert found.get("done") == 7, "a cluster without a token takes everybody"
            else:
                assert found["code"] == 3 and errors == "", errors
                assert f"the Ray cluster at '127.0.0.1:{nodes.port}' is guarded by a token" in found["error"]
                assert "copy ~/.ray/auth_token" in found["error"] and "\n" not in found["error"]
