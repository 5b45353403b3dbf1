"""The MLflow page of a study: which runs are compared, the queries of docs/mlflow.md, and the page itself in a browser."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tasksearch.records.ledger import Ledger
from tasksearch.study.locations import study_id
from tasksearch.study.mlflow_page import compared
from tasksearch.tracking.mlflow import MlflowTracker

DOCS = Path(__file__).parents[2] / "docs" / "mlflow.md"


@pytest.fixture(scope="module")
def tracked(planted_folder, planted, tmp_path_factory):
    """The planted study with its MLflow runs, a report attached to the parent."""
    from tasksearch.study.report import write_report

    folder = shutil.copytree(planted_folder, tmp_path_factory.mktemp("compared") / "study")
    page, _ = write_report(folder)
    tracker = MlflowTracker(None, folder, study_id(folder, "planted"), groups=planted.GROUPS)
    tracker.open_study(Ledger(folder).config(), {})
    for record in Ledger(folder).records():
        tracker.write_trial(record, {})
    tracker.close_study({}, {"report.html": page}, complete=True)
    return folder, tracker


def test_the_best_of_every_kind_comes_before_the_second_of_any(planted_folder):
    records = Ledger(planted_folder).records()
    kinds = {"single" if len(r.plan.schedule.tasks) == 1 else r.plan.schedule.kind for r in records if r.plan.schedule.stages}
    chosen = [record for record in compared(records, len(kinds)) if record.role != "finalist"]
    assert {"single" if len(r.plan.schedule.tasks) == 1 else r.plan.schedule.kind for r in chosen} == kinds
    for record in chosen:
        rivals = [
            r.objective
            for r in records
            if r.role in ("design", "search")
            and r.plan.schedule.kind == record.plan.schedule.kind
            and (len(r.plan.schedule.tasks) == 1) == (len(record.plan.schedule.tasks) == 1)
        ]
        assert record.objective == max(rivals)
    shown = compared(records, 6)
    assert [record.role in ("design", "search") for record in shown] == [True] * 6 + [False] * 2
    first = {r.plan.mix_signature: r.number for r in reversed(records) if r.role == "finalist"}
    assert [record.number for record in shown[6:]] == list(first.values())[::-1]  # never the best of its seeds
    assert {r.role for r in compared(records, 100)} == {"design", "search", "finalist"}


def test_names_and_first_metrics_are_made_for_the_comparison(tracked):
    _, tracker = tracked
    runs = tracker._client.search_runs([tracker.experiment_id], f"tags.`mlflow.parentRunId` = '{tracker.parent_id}'")
    names = {run.info.run_name.split(":")[0][5:] for run in runs}
    assert {"baseline", "single", "joint", "sequential", "annealed"} <= names
    for run in runs:
        shares = [float(value) for name, value in run.data.params.items() if name.startswith("mix/")]
        assert len(shares) == 3 and sum(shares) == pytest.approx(0 if "baseline" in run.info.run_name else 1, abs=2e-3)
        objective = "objective_fresh" if run.data.params["role"] == "finalist" else "objective"
        assert list(run.data.metrics)[:3] == [objective, "dev/all/mean", "seconds/total"]
        assert run.data.params["plan"] and run.data.params["schedule"] and "mix" not in run.data.params


def test_the_report_hangs_on_the_parent_run(tracked):
    folder, tracker = tracked
    assert [file.path for file in tracker._client.list_artifacts(tracker.parent_id)].count("report.html") == 1
    (copy,) = folder.glob("mlartifacts/**/report.html")
    assert copy.read_bytes() == (folder / "report.html").read_bytes()


def test_the_queries_of_the_documentation_find_what_they_say(tracked):
    folder, _ = tracked
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 4
    code = "\n".join(blocks).replace("studies/joint_vs_seq-lab-seed0", str(folder)).replace("joint_vs_seq-lab-seed0", "planted")
    found = {}
    exec(code.replace("near1", "near"), found)
    records = {record.number: record for record in Ledger(folder).records()}

    def numbers(runs):
        return [int(run.data.tags["tasksearch.trial"].split("/")[1]) for run in runs]

    sequential = [r for r in records.values() if r.plan.schedule.kind == "sequential" and r.role in ("design", "search")]
    best = sorted(sequential, key=lambda r: -r.objective)[:3]
    assert numbers(found["sequential"]) == [r.number for r in best]

    def score(record):
        return record.scores.cell("nli", "near", "select").value

    cheap = numbers(found["cheap"])
    assert set(cheap) == {n for n, r in records.items() if score(r) > 40}
    cost = [records[n].ended - records[n].started for n in cheap]
    assert cost == sorted(cost)
    mix = records[numbers(found["sequential"])[0]].plan.mix_signature
    assert set(numbers(found["again"])) == {n for n, r in records.items() if r.plan.mix_signature == mix}


def test_the_page_compares_in_a_browser_and_ends_with_its_command(tracked, chromium):
    folder, _ = tracked
    command = [sys.executable, "-m", "tasksearch", "ui", str(folder), "--best", "4"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        mixes, link, runs = (process.stdout.readline().split()[-1] for _ in range(3))

        def shown(page, *parts):
            for _ in range(5):  # a busy machine may need more than the first half minute of the browser's time
                dom = chromium(page, "--dump-dom", "--virtual-time-budget=30000", "--window-size=1400,2600")
                if missing := [part for part in parts if part not in dom]:
                    continue
                return
            raise AssertionError(f"{page} lacks {missing}")

        shown(link, "Comparing 6 Runs", "Parallel Coordinates Plot", "Scatter Plot", "mix/ccg", "sequential:", "finalist ")
        shown(mixes, "mix/ccg", "mix/mnli", "mix/qqp", "dev/all/mean")
        # every trial is a row of its own, with its numbers
        shown(runs, "0000 baseline", "0003 single", "objective", "dev/all/mean", "matching runs")
        port = int(re.search(r":(\d+)/", link).group(1))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server ended with the command"
