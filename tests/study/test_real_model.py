"""A study of real text with a real encoder, from its options to its decision; a few steps each, in one process without Ray."""

import subprocess
import sys
from pathlib import Path

import pytest

from tasksearch.study.best import open_suite, verdict_of
from tasksearch.study.configuration import configure
from tasksearch.study.retrieval_layers import with_layers
from tasksearch.study.setup import prepare

SPACE = """
from dataclasses import replace
from search_spaces import real
SPACE = replace(real.SPACE, tasks=("copa", "mrpc"))  # the small ones: reading MNLI takes longer than all the rest
"""
SHARED = Path(__file__).parents[3] / "shared"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The first six layers of multilingual E5 small, trimmed to nine languages, unpacked from four bits."""
    packed, tool = SHARED / "models/e5-small-9-l6-q4", SHARED / "tools/real_model/pack_q4.py"
    if not packed.is_dir() or not tool.is_file():
        pytest.skip(f"no real model: {packed} or {tool} is not there")
    folder = tmp_path_factory.mktemp("model") / "e5-l6"
    subprocess.run([sys.executable, str(tool), "unpack", str(packed), str(folder)], check=True, capture_output=True)
    return folder


def test_a_study_of_real_languages_runs_to_its_decision(model, shared_data, tmp_path, train_in_process):
    (tmp_path / "space.py").write_text(SPACE)
    config = configure(
        space=str(tmp_path / "space.py"), suite="lowres", data=str(shared_data), model=str(model),
        targets=["sib200", "tatoeba"],
        languages=["sw", "te"], steps=[2], target_steps=4, batch_size=8, trials=4, baseline_seeds=3, leaders=1, leader_seeds=1,
        most_seeds=1, controls="none", pairs=0, untrained=False, evaluation_examples=20, precision="bf16", name="real", lag=1,
    )  # fmt: skip
    assert config.preset == "small" and config.overrides.head_lr_factor == 10.0
    config, setup = with_layers(config, prepare(config))
    found = dict(config.overrides.auto_layers)
    assert found["all"] >= 4, "a sentence encoder retrieves by its last layers"

    records = train_in_process(setup, config, tmp_path / "real", device="cpu", snapshots=[None, None]).records()
    assert [(r.role, r.status) for r in records][-2:] == [("design", "done"), ("finalist", "done")]
    assert {r.plan.schedule.learning_rate for r in records} == {None, 2e-5}, "designed trials take the first rate"
    retrieval = records[0].plan.settings.retrieval
    assert (retrieval.layer, dict(retrieval.layers)) == (found.pop("all"), found)
    scores = records[0].scores.values("report")
    assert scores["tatoeba", "te"] > 40 and scores["tatoeba", "sw"] > 40, "chance is below one percent"

    verdict = verdict_of(tmp_path / "real")
    assert {choice.name for choice in verdict.choices} >= {"sw", "te"}
    assert "retrieval reads hidden layer" in open_suite(tmp_path / "real")[1].warning
