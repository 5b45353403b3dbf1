"""`plan`: the study that `run` would make, foreseen without a training."""

import json

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.options import Resources
from tasksearch.phases import calibrate
from tasksearch.phases.calibrate import Speed
from tasksearch.records.ledger import Ledger
from tasksearch.study.configuration import configure
from tasksearch.study.forecast import forecast_study


@pytest.fixture
def words(tiny_lab, monkeypatch, tmp_path):
    """Options of a small study, on a machine whose speed is known."""

    def told(plan, tasks, context, *, again=False):
        both = dict.fromkeys(plan.targets, 0.001)
        return Speed(step=1.0, target_step=both, example=both, model_bytes=10, machine="here"), again

    monkeypatch.setattr(calibrate, "speed_of", told)
    monkeypatch.chdir(tmp_path)
    return {
        "model": str(tiny_lab.model), "data": str(tiny_lab.data), "targets": ["topic"], "languages": ["near1"], "trials": 8,
        "baseline_seeds": 3, "leaders": 2, "steps": [4, 6], "name": "small",
    }  # fmt: skip


def test_what_no_result_decides_is_exact_and_the_rest_has_bounds(words):
    found = forecast_study(configure(**words, untrained=True, twins=3), resources=Resources(concurrency=2))
    exact = {role: one.least for role, one in found.trials.items() if one.least == one.most}
    assert (found.trials["baseline"].least, found.trials["baseline"].most) == (
        3,
        3 + 3,
    )  # it follows the finalists to their fresh seeds
    assert exact["untrained"] == 1 and exact["twin"] % 18 == 0 and exact["twin"] >= 18
    assert 3 + sum(exact.get(role, 0) for role in ("design", "search")) == 8
    finalists, controls = found.trials["finalist"], found.trials["control"]
    assert (finalists.least, finalists.most) == (2 * 2, 2 * 5)
    assert controls.least == 3 * (1 + 1) and controls.most == 3 * (1 + 2 + 1), "exposure and soup; two lengths have more"
    assert all(one.least <= one.expected <= one.most for one in found.trials.values())
    assert found.hours_least <= found.hours <= found.hours_most <= 10 and found.slots == 2


def test_the_controls_of_run_are_in_the_forecast_and_none_where_none_are_asked(words):
    bare, full = (forecast_study(configure(**words, controls=controls)) for controls in ("none", "all"))
    assert "control" not in bare.trials and bare.hours < full.hours


def test_what_a_study_s_own_store_holds_needs_no_training(words, tmp_path, monkeypatch):
    from tasksearch.study import forecast as module

    config = configure(**words, controls="none", sampler="random", most_seeds=2)
    Ledger(tmp_path / "studies" / "small").save_config(config)
    asked = []
    monkeypatch.setattr(module, "_stored", lambda store, folder: asked.append((store, folder)) or frozenset())
    flags = ["--controls", "none", "--sampler", "random", "--most-seeds", "2"]
    done = CliRunner().invoke(app, ["plan", *_flags(words), *flags, "--json"])
    assert done.exit_code == 0, done.output
    assert str(asked[0][1]) == "studies/small"
    assert json.loads(done.stdout)["trials"]["finalist"] == {"least": 4, "expected": 4.0, "most": 4}


def test_limits_and_options_without_effect_are_told(words):
    done = CliRunner().invoke(
        app,
        [
            "plan", *_flags(words), "--max-hours", "0.001", "--store-budget", "1MB", "--address", "auto", "--quiet",
            "--half-width", "3", "--max-trainings", "30",
        ],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    told = " ".join(done.stdout.split())
    assert "under --max-hours 0.001: `run`, then `resume`" in told and "what 1MB do not hold is trained again" in told
    assert "not forecast --name, --address" in told and " finalist, " in told and "(4-16)" in told
    assert "half-width of a finalist's gain, points, if its trainings deviate by 2:" in told and "with 2 fresh seeds" in told
    assert "±3 take " in told and " if by 1, " in told and "(0-4) re-run" in told


def _flags(words):
    plain = {"targets": "--target", "languages": "--language"}
    return [
        word
        for name, value in words.items()
        for each in (value if isinstance(value, list) else [value])
        for word in (plain.get(name, "--" + name.replace("_", "-")), str(each))
    ]
