"""A search space of the user's own, by path, under an objective of the user's own: one study from the command line."""

import json
import shutil
import subprocess
import sys

import pytest

from tasksearch.records.ledger import Ledger
from tasksearch.search.objective import Baseline

SPACE = '''
"""Two tasks, one after the other, in eight steps."""
import dataclasses

from search_spaces import joint_vs_seq

SPACE = dataclasses.replace(
    joint_vs_seq.SPACE, name="mine", schedules=("sequential",), tasks=("restate", "find"), steps=(8,), min_tasks=1
)
'''


def tasksearch(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "tasksearch", *arguments], capture_output=True, text=True, cwd=cwd, timeout=400, check=False
    )


@pytest.fixture(scope="module")
def study(tiny_lab, tmp_path_factory):
    home = tmp_path_factory.mktemp("own")
    (home / "my_space.py").write_text(SPACE)
    done = tasksearch(
        "run", "--space", "./my_space.py", "--objective", "classification=2,retrieval,near1", "--target", "topic", "--target",
        "retrieval", "--language", "near1", "--language", "sov", "--model", str(tiny_lab.model), "--data", str(tiny_lab.data),
        "--trials", "6", "--baseline-seeds", "3", "--leaders", "1", "--leader-seeds", "1", "--out", "study", "--json",
        "--controls", "none", "--concurrency", "1", cwd=home,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout)


def test_a_space_by_path_runs_and_is_kept_in_the_study(study, inside):
    home, said = study
    ledger = Ledger(home / "study")
    assert said["summary"]["done"] == len(ledger.records()) == 7
    assert (ledger.config().space.name, ledger.config().space.tasks) == ("mine", ("restate", "find"))
    kinds = {
        r.plan.schedule.kind for r in ledger.records() if r.role in ("design", "search") and len(r.plan.schedule.tasks) > 1
    }
    assert "sequential" in kinds and "annealed" not in kinds
    assert {r.plan.schedule.steps for r in ledger.records()} == {0, 8}
    (home / "my_space.py").unlink()  # the study holds the space itself
    again = inside("resume", "study", "--json", cwd=home)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["verdict"] == said["verdict"]


def test_every_trial_was_judged_by_the_objective_that_was_asked_for(study):
    records = Ledger(study[0] / "study").records()
    cells = Baseline.of(records).cells
    for record in records:
        gain = {
            target: (record.scores.cell(target, "near1", "select").value - cells[target, "near1"].mean)
            / cells[target, "near1"].deviation
            for target in ("topic", "retrieval")
        }
        assert record.objective == pytest.approx((2 * gain["topic"] + gain["retrieval"]) / 3), record.number


def test_a_study_in_use_is_one_line_and_exit_code_4(study):
    home, _ = study
    with Ledger(home / "study").lock():
        done = tasksearch("resume", "study", cwd=home)
    assert done.returncode == 4, done.stderr
    assert "is in use by process" in done.stderr and "Traceback" not in done.stderr


def test_a_model_folder_without_a_tokenizer_is_one_line(tiny_lab, tmp_path, inside):
    shutil.copytree(tiny_lab.model, tmp_path / "model")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "model" / name).unlink()
    done = inside("run", "--model", "./model", "--data", str(tiny_lab.data), cwd=tmp_path)
    assert done.returncode == 2
    assert "model folder 'model' has no tokenizer" in done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "studies").exists()


def test_more_gpus_than_there_are_is_one_line(tiny_lab, tmp_path):
    done = tasksearch(
        "run", "--model", str(tiny_lab.model), "--data", str(tiny_lab.data), "--gpus-per-trial", "64", "--quiet", cwd=tmp_path
    )
    assert done.returncode == 2, done.stderr
    assert "64 GPUs per trial; expected at most" in done.stderr and "Traceback" not in done.stderr
