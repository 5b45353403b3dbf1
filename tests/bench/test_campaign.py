"""`tasksearch bench`: any sampler and picker, in numbers that a second run goes on from."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tasksearch.bench.campaign import BenchConfig, bench, counts_of, limits_of, recorded_sizes
from tasksearch.bench.grid_replay import _Near
from tasksearch.bench.regmix import read_regmix, replay
from tasksearch.bench.study_replay import RecordedStudy
from tasksearch.cli.app import app
from tasksearch.core.errors import BadInput, DataMissing, UnknownName

REGMIX = Path(__file__).parents[2].parent / "shared/data/replay/regmix"
if not REGMIX.is_dir():
    REGMIX = Path("/work/shared/data/replay/regmix")

REAL = Path(__file__).parents[2] / "benchmarks/data/real_study"

OWN_PICKER = """
import numpy as np
def worth(shown):
    return -shown.gains
"""
OWN_SAMPLER = """
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
def sample(space, told, rng):
    assert len(told[0][1]) == 10
    pair = rng.sample(space.tasks, 2)
    return Schedule.joint(Mixture.uniform(*pair), space.steps[0])
"""


def small(**fields):
    return BenchConfig(**({"problem": "tune", "worlds": 2, "first": 0, "trials": (14,)} | fields))


def test_what_was_kept_is_not_measured_again(tmp_path):
    keep, seen = tmp_path / "kept.jsonl", []
    first = bench(small(worlds=1), keep=keep)
    lines = keep.read_text()
    both = bench(small(), keep=keep, on_world=lambda done, total: seen.append((done, total)))
    assert keep.read_text().startswith(lines) and keep.read_text().count("\n") == 2
    assert seen == [(1, 2), (2, 2)]
    assert all(both.values[row][14][0] == cells[14][0] for row, cells in first.values.items())
    keep.write_text(keep.read_text()[:-40])  # cut off by a crash
    again = bench(small(), keep=keep)
    assert again.plain() == both.plain()


def test_another_setting_does_not_go_on_from_the_first(tmp_path):
    assert small().signature != small(trials=(15,)).signature != small(trials=(15,), sampler="tpe").signature
    assert small(worlds=1).signature == small(worlds=9, first=4).signature


def test_other_recorded_runs_do_not_go_on_from_the_first(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, told in ((one, "1"), (other, "2")):
        (folder / "trials").mkdir(parents=True)
        (folder / "trials/0000.json").write_text(told)
    names = [small(problem="study", data=folder).signature for folder in (one, other)]
    (other / "trials/0000.json").write_text("1")
    assert names[0] != names[1] and small(problem="study", data=other).signature == names[0]
    (other / "readings.json").write_text("a reading changes no number")
    assert small(problem="study", data=other).signature == names[0]


def test_a_picker_and_a_sampler_of_ones_own(tmp_path):
    picker, sampler = tmp_path / "picker.py", tmp_path / "sampler.py"
    picker.write_text(OWN_PICKER)
    sampler.write_text(OWN_SAMPLER)
    rows = bench(small(worlds=1, picker=str(picker), sampler=str(sampler))).values
    asked = rows["regret of the picker that was asked for, any trained mix"][14][0]
    assert asked > rows["regret of the pooled pick per language, any trained mix"][14][0]  # it takes the worst


def test_a_picker_of_the_wrong_shape_is_named(tmp_path):
    picker = tmp_path / "picker.py"
    picker.write_text("def worth(shown):\n    return shown.gains[:1]\n")
    with pytest.raises(BadInput, match=r"shape \(1, 10\); expected \(14, 10\)"):
        bench(small(worlds=1, picker=str(picker)))


def test_mistakes_are_one_line(tmp_path):
    with pytest.raises(UnknownName, match="did you mean 'held'"):
        small(problem="hold")
    with pytest.raises(UnknownName, match="no picker 'poled'; did you mean 'pooled'"):
        bench(small(picker="poled"))
    with pytest.raises(BadInput, match="regmix needs --data"):
        bench(small(problem="regmix"))
    with pytest.raises(DataMissing, match=r"train_mixture_1m\.csv"):
        bench(small(problem="regmix", data=tmp_path))
    with pytest.raises(BadInput, match="expected numbers with commas"):
        counts_of("24;48")


def test_the_command_tells_mean_error_and_worlds_as_json():
    done = CliRunner().invoke(app, ["bench", "--worlds", "2", "--trials", "14", "--json"])
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    cell = told["rows"]["regret of the bare maximum per language"]["14"]
    assert told["family"] == "tune" and cell["worlds"] == 2 and cell["mean"] > 0 and cell["error"] > 0
    assert 0 <= told["rows"]["coverage of the 95 % interval, languages"]["14"]["mean"] <= 1


@pytest.mark.skipif(not REGMIX.is_dir(), reason="RegMix's recorded runs are not here")
def test_on_recorded_mixtures_the_surrogate_ranks_better_than_both_ridges():
    data = read_regmix(REGMIX)
    assert (len(data.pool), len(data.held), data.pool_scores.shape[1]) == (512, 256, 13)
    rows = replay(data, 0, [64])
    for order in (1, 2):
        rows.extend(replay(data, order, [64]))
    ranks, regrets = (
        {name: sum(rows.values[f"{what} on the 256, {name}"][64]) / 3 for name in ("surrogate", "ridge, raw", "ridge, root")}
        for what in ("rank correlation", "regret")
    )
    assert ranks["surrogate"] > ranks["ridge, root"] + 0.02 > ranks["ridge, raw"] + 0.02
    assert regrets["surrogate"] < 0.01 < regrets["ridge, root"]


def test_a_recorded_study_answers_a_sampler_with_what_it_trained(planted_folder):
    asked = {"problem": "study", "data": planted_folder, "trials": (4, 8), "worlds": 3}
    for sampler in ("random", "auto", "tpe"):
        rows = bench(small(**asked, sampler=sampler)).values
        lost = rows["points lost against the best recorded mix, reporting examples"]
        assert all(value >= 0 for cells in lost.values() for value in cells) and len(lost[8]) == 3
    sizes = recorded_sizes(planted_folder)
    assert sizes[-1] == len(RecordedStudy.read(planted_folder).known) > sizes[0]
    told = " ".join(limits_of(small(**asked | {"trials": (2, *sizes)})))
    assert f"{sizes[-1]} mixes, one training of each" in told and f"At 2, {sizes[-1]} trials every sampler" in told
    assert limits_of(small(problem="tune", trials=(4,))) == ()
    with pytest.raises(BadInput, match="99 trials; expected at most"):
        bench(small(**asked | {"trials": (99,)}))
    with pytest.raises(BadInput, match="study needs --data FOLDER"):
        bench(small(problem="study"))
    with pytest.raises(UnknownName, match="no sampler 'tpee'; did you mean 'tpe'"):
        bench(small(**asked, sampler="tpee"))


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded study is in the repository, not in the wheel")
def test_the_record_of_real_languages_is_replayed_with_what_it_cannot_tell():
    said = ["bench", "--family", "study", "--data", str(REAL), "--worlds", "2", "-q"]
    done = CliRunner().invoke(app, said)
    assert done.exit_code == 0, done.exception
    assert "points lost against the best recorded mix" in done.stdout and "one training of each" in done.stdout
    found = json.loads(CliRunner().invoke(app, [*said, "--sampler", "auto", "--json"]).stdout)
    assert len(found["limits"]) == 4 and "designed mixes come first" in found["limits"][2]
    mixes = list(RecordedStudy.read(REAL).known)
    assert {mix.learning_rate for mix in mixes} == {2e-5, 2e-4}
    joint = next(mix for mix in mixes if len(mix.tasks) == 2 and mix.kind == "joint" and mix.learning_rate == 2e-4)
    nearest = _Near(mixes).of(joint.at_rate(2e-5), [mix for mix in mixes if mix != joint])
    assert nearest.learning_rate == 2e-5, "a mix at the other rate is not the nearest"
