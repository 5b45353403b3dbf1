"""A study of real text with a real pretrained encoder, from the command's options to the decision; a few steps each."""

import subprocess
import sys
from pathlib import Path

import pytest

from tasksearch.core.options import Resources
from tasksearch.records.ledger import Ledger
from tasksearch.study.best import open_suite, verdict_of
from tasksearch.study.configuration import configure
from tasksearch.study.run import run_study

SHARED = Path(__file__).parents[3] / "shared"
pytestmark = pytest.mark.usefixtures("local_cluster")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The first six layers of multilingual E5 small, trimmed to nine languages, unpacked from four bits."""
    packed, tool = SHARED / "models/e5-small-9-l6-q4", SHARED / "tools/real_model/pack_q4.py"
    if not packed.is_dir() or not tool.is_file():
        pytest.skip(f"no real model: {packed} or {tool} is not there")
    folder = tmp_path_factory.mktemp("model") / "e5-l6"
    subprocess.run([sys.executable, str(tool), "unpack", str(packed), str(folder)], check=True, capture_output=True)
    return folder


def test_a_study_of_real_languages_runs_to_its_decision(model, shared_data, tmp_path):
    config = configure(
        space="real", suite="lowres", data=str(shared_data), model=str(model), targets=["sib200", "tatoeba"],
        languages=["sw", "te"], steps=[2], target_steps=4, batch_size=8, trials=6, baseline_seeds=3, leaders=1, leader_seeds=1,
        most_seeds=1, controls="none", pairs=0, untrained=False, evaluation_examples=20, precision="bf16", name="real",
    )  # fmt: skip
    assert config.preset == "small" and config.overrides.head_lr_factor == 10.0
    resources = Resources(concurrency=2, snapshot_minutes=0.0)
    result = run_study(config, tmp_path / "real", resources=resources)
    kept, records = Ledger(tmp_path / "real").config(), Ledger(tmp_path / "real").records()
    assert [r.status for r in records] == ["done"] * 7 and result.summary.failed == 0

    rates = {r.plan.schedule.learning_rate for r in records if r.role == "design"}
    assert rates == {2e-5}, "designed trials take the first rate"
    assert {r.params for r in records if r.role == "design"} and "at 2e-05" in str(records[-1].plan.schedule)

    found = dict(kept.overrides.auto_layers)
    assert found["all"] >= 4, "a sentence encoder retrieves by its last layers"
    retrieval = records[0].plan.settings.retrieval
    assert (retrieval.layer, dict(retrieval.layers)) == (found.pop("all"), found)
    scores = records[0].scores.values("report")
    assert scores["tatoeba", "te"] > 60 and scores["tatoeba", "sw"] > 35, "of pools of 234 and 390 sentences"

    verdict = verdict_of(tmp_path / "real")
    assert {choice.name for choice in verdict.choices} >= {"sw", "te"}
    assert "retrieval reads hidden layer" in open_suite(tmp_path / "real")[1].warning
    again = run_study(config, tmp_path / "real", resources=resources)
    assert again.summary.ran == 0
