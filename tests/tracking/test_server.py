"""The page of a study answers over REST, on loopback alone, and its links open the comparison."""

import json
import os
import socket
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest

from tasksearch.core.errors import BadInput, Unreachable
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Score, ScoreTable
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.tracking.mlflow import MlflowTracker
from tasksearch.tracking.server import compare_link, serve_ui, view_link

CONFIG = StudyConfig(
    name="served", space=SearchSpace(name="joint", summary=""), suite="lab", model="lab", targets=("nli",), languages=("sw",)
)


def trial(number):
    plan = Plan(
        suite="lab",
        schedule=Schedule.sequential([("qqp", 8)]),
        targets=("nli",),
        languages=("sw",),
        settings=PhaseSettings(),
        seed=number,
    )
    score = Score(target="nli", language="sw", half="select", metric="accuracy", value=61.5, examples=200, seed=number)
    return TrialRecord(
        number=number,
        role="search",
        status="done",
        plan=plan,
        scores=ScoreTable.of([score]),
        objective=0.5,
        started=1.7e9,
        ended=1.7e9,
    )


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_the_server_tells_the_runs_of_a_study_over_rest(tmp_path):
    tracker = MlflowTracker(None, tmp_path, "served-1")
    tracker.open_study(CONFIG, {})
    for number in range(2):
        tracker.write_trial(trial(number), {})
    tracker.close_study({}, {}, complete=True)
    with serve_ui(tracker.uri, tmp_path / "mlartifacts") as server:
        children = f"tags.mlflow.parentRunId = '{tracker.parent_id}'"
        found = post(
            f"{server.url}/api/2.0/mlflow/runs/search", {"experiment_ids": [tracker.experiment_id], "filter": children}
        )
        with urllib.request.urlopen(server.url, timeout=60) as page:
            assert page.status == 200
        process = server.process
    runs = found["runs"]
    assert len(runs) == 2
    assert {m["key"]: m["value"] for m in runs[0]["data"]["metrics"]}["dev/nli/sw"] == 61.5
    assert {run["info"]["status"] for run in runs} == {"FINISHED"}
    assert process.poll() is not None
    with pytest.raises(ProcessLookupError):  # its workers are gone too
        os.killpg(process.pid, 0)


def test_a_server_that_is_there_already_is_only_named(tmp_path):
    with serve_ui("https://me:secretword@mlflow.example:8443/", tmp_path) as server:
        assert server.url == "https://mlflow.example:8443"


def test_a_taken_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=str(port)):
            serve_ui(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path, port)


def test_a_server_that_cannot_start_says_why_in_one_line(tmp_path):
    with pytest.raises(Unreachable, match="did not start") as caught:
        serve_ui("nosuchscheme://me:secretword@host/db", tmp_path, timeout=120)
    assert "\n" not in str(caught.value)
    assert "secretword" not in str(caught.value)


def test_links_open_the_comparison_of_runs_and_not_the_genai_page():
    link = urlsplit(compare_link("http://127.0.0.1:5000/", "3", ["aa", "bb"])).fragment
    query = parse_qs(link.partition("?")[2])
    assert link.startswith("/compare-runs?")
    assert json.loads(query["runs"][0]) == ["aa", "bb"]
    assert json.loads(query["experiments"][0]) == ["3"]
    assert query["workflowType"] == ["machine_learning"]
    assert "workflowType=machine_learning" in view_link("http://127.0.0.1:5000", "3", "key")
