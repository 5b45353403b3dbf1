"""The study opens in optuna-dashboard and with `optuna.load_study`, by the words of docs/optuna.md."""

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tasksearch.engine.optuna_database import OptunaDatabase, close_storage
from tasksearch.engine.optuna_storage import OptunaMirror, open_storage
from tasksearch.records.ledger import Ledger
from tasksearch.study.locations import study_id

DOCS = Path(__file__).parents[2] / "docs" / "optuna.md"


@pytest.fixture
def dashboard(planted_folder):
    """Address of a dashboard on loopback over the study's journal."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("optuna-dashboard")
    if not program.exists():
        pytest.skip("optuna-dashboard is not installed beside this Python")
    command = [program, planted_folder / "optuna.journal", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{address}/api/studies", timeout=10):
                break
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def ask(address):
    with urllib.request.urlopen(address, timeout=60) as answer:
        return json.load(answer)


def test_the_dashboard_tells_the_study_and_its_trials(dashboard, planted_folder):
    (study,) = ask(f"{dashboard}/api/studies")["study_summaries"]
    assert study["study_name"] == "planted"
    trials = ask(f"{dashboard}/api/studies/{study['study_id']}?after=0")["trials"]
    records = Ledger(planted_folder).records()
    assert [trial["number"] for trial in trials] == [record.number for record in records]
    assert {trial["state"] for trial in trials} == {"Complete"}
    assert [trial["values"][0] for trial in trials] == pytest.approx([record.objective for record in records])
    noted = [{attribute["key"]: attribute["value"] for attribute in trial["user_attrs"]} for trial in trials]
    for told, record in zip(noted, records, strict=True):
        assert told["role"] == record.role
        assert told["schedule"] == str(record.plan.schedule)


def blocks():
    return re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_a_database_is_read_as_the_documentation_says(planted, planted_folder, tmp_path):
    place = OptunaDatabase(url=f"sqlite:///{tmp_path}/o.db", study=study_id(tmp_path, "planted"))
    mirror = OptunaMirror(open_storage(tmp_path, place.url), place.name_of(planted.config()), planted.SPACE)
    for record in Ledger(planted_folder).records():
        mirror.add(record)
        mirror.tell(record)
    mirror.close()
    code, found = blocks()[1], {}
    code = code.replace("postgresql+psycopg://me@db.example/optuna", place.url)
    exec(code.replace("studies/joint_vs_seq-lab-seed0", str(tmp_path)), found)
    assert len(found["study"].trials) == len(Ledger(planted_folder).records())
    close_storage(found["study"]._storage._backend)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_load_study_works_as_the_documentation_says(planted_folder):
    code = blocks()[0]
    found = {}
    exec(
        code.replace("studies/joint_vs_seq-lab-seed0", str(planted_folder)).replace("joint_vs_seq-lab-seed0", "planted"), found
    )
    records = Ledger(planted_folder).records()
    assert len(found["study"].trials) == len(records)
    searched = [record for record in records if record.role in ("design", "search")]
    assert found["best"].number == max(searched, key=lambda record: record.objective).number
