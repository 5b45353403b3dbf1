"""An MLflow server that dies mid-study costs no trial: one line, and a resume with the server back completes it once."""

import os
import signal

import pytest

from tasksearch.core.errors import Unreachable
from tasksearch.search.ledger import Ledger
from tasksearch.tracking.mlflow import MlflowTracker
from tasksearch.tracking.server import serve_ui

pytestmark = pytest.mark.usefixtures("local_cluster")


def finished(folder):
    return {r.number: Ledger(folder).record_path(r.number).read_bytes() for r in Ledger(folder).records() if r.status == "done"}


def test_a_server_that_is_killed_mid_study_loses_no_trial(planted, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    folder, database = tmp_path / "study", f"sqlite:///{tmp_path / 'server.db'}"
    server = serve_ui(database, tmp_path / "artefacts")
    port = int(server.url.rsplit(":", 1)[1])
    judged = []

    def kill_at_the_fifth(event):
        if type(event).__name__ == "TrialJudged":
            judged.append(event.record.number)
            if len(judged) == 5:
                os.killpg(server.process.pid, signal.SIGKILL)
                server.process.wait()

    with pytest.raises(Unreachable) as caught:
        planted.run(
            folder, tracker=MlflowTracker(server.url, folder, "lost-1"), on_event=kill_at_the_fifth, context={"sleep": 0.05}
        )
    told = str(caught.value)
    assert told.startswith(f"the MLflow server at {server.url} went away; what is finished is kept: start it again")
    assert told.endswith("`tasksearch resume` goes on") and "\n" not in told
    kept = finished(folder)
    assert 5 <= len(kept) < 18

    with serve_ui(database, tmp_path / "artefacts", port) as back:
        tracker = MlflowTracker(back.url, folder, "lost-1")
        planted.run(folder, tracker=tracker)
        tracker.close_study({}, {}, complete=True)
        runs = tracker._client.search_runs([tracker.experiment_id], f"tags.`mlflow.parentRunId` = '{tracker.parent_id}'")
    after = finished(folder)
    assert len(after) == 18
    assert {number: after[number] for number in kept} == kept, "what was finished is not run again"
    assert sorted(int(run.data.tags["tasksearch.trial"].split("/")[1]) for run in runs) == list(range(18))
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert all("objective" in run.data.metrics for run in runs)
