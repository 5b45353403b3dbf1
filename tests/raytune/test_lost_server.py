"""An MLflow server that dies mid-study costs no trial: it is said once, and what it missed is told once it is back."""

import os
import signal

import pytest

from tasksearch.core.errors import Unreachable
from tasksearch.engine.outbox import Patience
from tasksearch.records.ledger import Ledger
from tasksearch.tracking.mlflow import MlflowTracker
from tasksearch.tracking.server import serve_ui

pytestmark = pytest.mark.usefixtures("local_cluster")


def finished(folder):
    return {r.number: Ledger(folder).record_path(r.number).read_bytes() for r in Ledger(folder).records() if r.status == "done"}


def test_a_server_that_is_killed_and_comes_back_is_caught_up_during_the_run(planted, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    folder, database = tmp_path / "study", f"sqlite:///{tmp_path / 'server.db'}"
    server = serve_ui(database, tmp_path / "artefacts")
    port, back = int(server.url.rsplit(":", 1)[1]), []

    def kill():
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()

    watch = planted.Watch(at5=kill, at9=lambda: back.append(serve_ui(database, tmp_path / "artefacts", port)))
    tracker, quick = MlflowTracker(server.url, folder, "lost-1"), Patience(first=0.1, longest=0.2)
    summary = planted.run(folder, tracker=tracker, on_event=watch, context={"sleep": 0.2}, patience=quick)
    try:
        assert (summary.done, summary.failed) == (18, 0)
        (_, away), (judged, again) = watch.notices
        assert away == (
            f"the MLflow server at {server.url} went away: the study goes on, and MLflow is told what it missed once it "
            "answers again"
        )
        assert again.startswith("MLflow answers again after ") and judged < 18
        tracker.close_study({}, {}, complete=True)
        runs = tracker._client.search_runs([tracker.experiment_id], f"tags.`mlflow.parentRunId` = '{tracker.parent_id}'")
        assert sorted(int(run.data.tags["tasksearch.trial"].split("/")[1]) for run in runs) == list(range(18))
        assert {run.info.status for run in runs} == {"FINISHED"}
        assert all({"objective", "objective_fresh"} & run.data.metrics.keys() for run in runs)
    finally:
        back[0].close()


def test_a_server_that_stays_away_ends_a_complete_study_in_one_line_and_a_resume_tells_it(planted, tmp_path):
    class Away(planted.SilentTracker):
        def write_trial(self, record, artefacts):
            if record.number >= 5:
                raise Unreachable("the MLflow server went away; start it again, then `tasksearch resume` goes on")
            super().write_trial(record, artefacts)

    watch = planted.Watch()
    with pytest.raises(Unreachable, match=r"went away; start it again, then `tasksearch resume` goes on$"):
        planted.run(tmp_path, tracker=Away(), on_event=watch, patience=Patience(at_end=0.3, first=0.1))
    kept = finished(tmp_path)
    assert len(kept) == 18, "every trial was run all the same"
    assert sum("went away" in text for _, text in watch.notices) == 1
    assert "waiting up to 0 s in all for MLflow" in watch.notices[-1][1]

    back = planted.SilentTracker()
    planted.run(tmp_path, tracker=back)
    assert finished(tmp_path) == kept, "what was finished is not run again"
    assert sorted(number for number, *_ in back.written) == list(range(18))
