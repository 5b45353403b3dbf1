"""The Optuna study in a database: the same study as in the journal, also through kills and absences of the server."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tasksearch.core.errors import Unreachable
from tasksearch.engine.optuna_database import OptunaDatabase, check_database
from tasksearch.engine.optuna_storage import trials_in_optuna
from tasksearch.engine.outbox import Patience
from tasksearch.records.ledger import Ledger

SCRIPT = Path(__file__).parents[1] / "planted_study.py"
pytestmark = pytest.mark.usefixtures("local_cluster")


@pytest.fixture(scope="module")
def in_journal(planted, tmp_path_factory):
    """Number → state, value and parameters of the study in a journal."""
    folder = tmp_path_factory.mktemp("journal")
    planted.run(folder)
    return trials_in_optuna(Ledger(folder).optuna_path, "planted")


def told(place):
    return trials_in_optuna(Path(), place.study, place.url)


def test_a_database_holds_what_the_journal_holds_and_no_journal_is_written(planted, tmp_path, in_journal):
    place = OptunaDatabase(url=f"sqlite:///{tmp_path}/o.db", study="planted-0")
    planted.run(tmp_path / "study", optuna_storage=place)
    assert told(place) == in_journal and len(in_journal) == 18
    assert not Ledger(tmp_path / "study").optuna_path.exists()


def test_two_studies_of_one_name_share_a_database(planted, tmp_path, in_journal):
    places = [OptunaDatabase(url=f"sqlite:///{tmp_path}/o.db", study=f"planted-{n}") for n in range(2)]
    for place, trials in zip(places, (11, 16), strict=True):
        planted.run(tmp_path / place.study, optuna_storage=place, trials=trials)
    assert [len(told(place)) for place in places] == [13, 18] and told(places[1]) == in_journal


def test_a_driver_killed_over_a_database_is_taken_up_with_nothing_lost_or_doubled(planted, tmp_path, in_journal):
    folder, place = tmp_path / "study", OptunaDatabase(url=f"sqlite:///{tmp_path}/o.db", study="planted-0")
    command = [sys.executable, str(SCRIPT), str(folder), "2", json.dumps({"sleep": 0.2}), place.url]
    environment = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    for more in (4, 9):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while sum(r.status == "done" for r in Ledger(folder).records()) < more and time.monotonic() < deadline:
            assert process.poll() is None, "the driver ended by itself"
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    planted.run(folder, optuna_storage=place)
    assert told(place) == in_journal


# ---- a real server


class Server:
    """PostgreSQL on loopback, of a user of its own, with a password."""

    def __init__(self, programs, folder, port):
        self.programs, self.folder, self.port, self.process = programs, folder, port, None
        # the server refuses to be root's
        self.owner = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        self.url = f"postgresql://me:secretword@127.0.0.1:{port}/postgres"

    def make(self):
        if self.owner:
            shutil.chown(self.folder, "nobody", "nogroup")
        secret = self.folder / "secret"
        secret.write_text("secretword")
        secret.chmod(0o644)
        login = ["--username=me", f"--pwfile={secret}", "--auth=scram-sha-256"]
        command = [self.programs / "initdb", f"--pgdata={self.folder / 'data'}", *login, "--no-sync", "--encoding=UTF8"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, timeout=300, **self.owner)

    def start(self):
        options = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder), "-F"]
        command = [self.programs / "postgres", "-D", self.folder / "data", *options]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **self.owner)
        deadline = time.monotonic() + 120
        while True:
            try:
                return check_database(self.url)
            except Unreachable:
                assert time.monotonic() < deadline and self.process.poll() is None, (self.folder / "server.log").read_text()
                time.sleep(0.1)

    def stop(self):
        """At once, its connections cut: SIGQUIT is the server's own immediate shutdown."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(60)


@pytest.fixture
def server():
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'tasksearch[postgres]'")
    found = shutil.which("initdb") or next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
    if found is None:
        pytest.skip("no PostgreSQL server on this machine: no program initdb on PATH or under /usr/lib/postgresql")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="tasksearch-pg-", dir="/tmp"))  # another user must be able to walk there
    server = Server(Path(found).resolve().parent, folder, port)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_postgresql_server_that_stops_and_comes_back_is_caught_up_during_the_run(planted, tmp_path, server, in_journal):
    place, starting = OptunaDatabase(url=server.url, study="planted-0"), threading.Thread(target=server.start)
    watch = planted.Watch(at5=server.stop, at9=starting.start)
    quick = Patience(first=0.1, longest=0.2)
    summary = planted.run(tmp_path, optuna_storage=place, on_event=watch, context={"sleep": 0.3}, patience=quick, concurrency=1)
    starting.join(60)
    assert (summary.done, summary.failed) == (18, 0)
    away, again = (text for _, text in watch.notices)
    assert away == (
        f"the Optuna storage postgresql://127.0.0.1:{server.port}/postgres went away: the study goes on, and Optuna is told "
        "what it missed once it answers again"
    )
    assert again.startswith("Optuna answers again after ")
    assert told(place) == in_journal


def test_a_server_that_stays_away_costs_no_trial_and_a_resume_tells_it(planted, tmp_path, server, in_journal):
    place, watch = OptunaDatabase(url=server.url, study="planted-0"), planted.Watch(at5=server.stop)
    with pytest.raises(Unreachable, match=r"went away; .*then `tasksearch resume` goes on$") as caught:
        planted.run(tmp_path, optuna_storage=place, on_event=watch, patience=Patience(at_end=0.3, first=0.1))
    kept = [r for r in Ledger(tmp_path).records() if r.status == "done"]
    assert len(kept) == 18, "every trial was run all the same"
    said = [str(caught.value), *(text for _, text in watch.notices)]
    assert not any("secretword" in text for text in said)
    with pytest.raises(Unreachable, match="cannot be opened"):
        planted.run(tmp_path, optuna_storage=place)
    server.start()
    assert planted.run(tmp_path, optuna_storage=place).ran == 0
    assert told(place) == in_journal
    assert [r for r in Ledger(tmp_path).records() if r.status == "done"] == kept
    hidden = [path for path in tmp_path.rglob("*") if path.is_file() and b"secretword" in path.read_bytes()]
    assert hidden == []


def test_a_wrong_password_is_one_line_without_it(server):
    with pytest.raises(Unreachable, match="password authentication failed") as caught:
        check_database(server.url.replace("secretword", "wrongword"))
    assert "wrongword" not in str(caught.value) and "\n" not in str(caught.value)
