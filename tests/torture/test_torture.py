"""The seeded part of the torture that runs with every test run; `tasksearch torture` does the rest."""

import json
import random
import subprocess
import sys

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.torture.campaign import Campaign, open_campaign
from tasksearch.torture.code import code_version, hash_of
from tasksearch.torture.comparison import difference
from tasksearch.torture.cut import cut, kept_of, lost


def torture(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tasksearch", "torture", *arguments], capture_output=True, text=True, timeout=500, check=False
    )


def test_studies_killed_at_named_points_end_as_undisturbed_ones_and_a_torture_goes_on_where_it_stopped(tmp_path):
    begun = torture("--layer", "store", "--kills", "2", "--seed", "5", "--out", str(tmp_path), "--json")
    assert begun.returncode == 0, begun.stderr
    assert "seed 5" in begun.stderr
    [first] = json.loads(begun.stdout)["layers"]
    done = torture("--layer", "store", "--kills", "30", "--out", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    [layer] = json.loads(done.stdout)["layers"]
    assert layer["seed"] == 5 and layer["kills"] == 30 and layer["lives"] > first["lives"] >= 2
    assert len(layer["where"]) > 10 and layer["what"]["kill"] > 15 and layer["what"]["edit"] > 2
    log = (tmp_path / "store.txt").read_text()
    assert "seed 5" in log and "goes on after 2 kills" in log and log.count(": equal after") == layer["studies"]


def test_another_seed_or_layer_is_one_line(tmp_path):
    (tmp_path / "store.json").write_text('{"seed": 5}')
    other = torture("--layer", "store", "--seed", "6", "--out", str(tmp_path))
    assert other.returncode == 2 and "holds a torture with seed 5, now 6" in other.stderr and "Traceback" not in other.stderr
    unknown = torture("--layer", "stores", "--out", str(tmp_path / "x"))
    assert unknown.returncode == 2 and "did you mean 'store'" in unknown.stderr


def test_a_torture_goes_on_with_the_code_it_was_begun_with_and_with_no_other(tmp_path):
    begun = open_campaign("store", 5, tmp_path, print)
    begun.keep()
    assert f"tasksearch {code_version()}, " in (tmp_path / "store.txt").read_text()
    assert open_campaign("store", 5, tmp_path, print).code == code_version()
    for code in ({"code": "0.1.0, sources 0123456789ab"}, {}):
        (tmp_path / "store.json").write_text(json.dumps({k: v for k, v in begun.to_json().items() if k != "code"} | code))
        other = torture("--layer", "store", "--out", str(tmp_path))
        assert other.returncode == 2 and f"this is {code_version()}" in other.stderr and "Traceback" not in other.stderr
        assert code.get("code", "wrote down no code") in other.stderr


def test_code_that_changes_while_it_is_tortured_ends_the_torture(tmp_path, monkeypatch):
    running = Campaign(layer="store", seed=0, work=tmp_path)
    assert running.needs(1, tmp_path)
    monkeypatch.setattr("tasksearch.torture.campaign.code_version", lambda: "0.1.0, sources 0123456789ab")
    with pytest.raises(BadInput, match="kills of two codes are not added up"):
        running.needs(1, tmp_path)


def test_every_byte_and_name_of_the_sources_counts_and_nothing_else(tmp_path):
    (tmp_path / "inner").mkdir()
    path = tmp_path / "inner" / "one.py"
    path.write_text("a = 1")
    was = hash_of([tmp_path])
    (tmp_path / "notes.txt").write_text("no code")
    assert hash_of([tmp_path]) == was
    path.write_text("a = 2")
    assert hash_of([tmp_path]) != was
    path.write_text("a = 1")
    path.rename(path.with_name("two.py"))
    assert hash_of([tmp_path]) != was


@pytest.mark.parametrize("part", ["trials", "optuna"])
def test_a_difference_is_found_and_named(part):
    was = {"trials": {"0": "a", "1": "b"}, "optuna": {"0": "x"}}
    now = {**was, part: {**was[part], "0": "other"}}
    assert difference(was, json.loads(json.dumps(was))) is None
    assert difference(was, now).startswith(f"{part} differs in 0: ")
    assert "'b' became None" in difference(was, {**was, "trials": {"0": "a"}})


def test_a_finished_trial_that_is_gone_or_otherwise_is_noticed_and_a_running_one_is_not():
    was = {0: {"scores": [1]}, 3: {"scores": [2]}}
    assert lost(was, {**was, 4: {}}) is None
    assert lost(was, {0: was[0]}) == 3
    assert lost(was, {**was, 0: {"scores": [9]}}) == 0


def test_a_cut_shortens_one_of_the_last_files(tmp_path):
    (tmp_path / "trials").mkdir()
    path = tmp_path / "trials" / "0000.json"
    path.write_text(json.dumps({"number": 0, "status": "done", "plan": 1, "params": [], "scores": [], "cause": None}))
    whole = path.read_bytes()
    assert list(kept_of(tmp_path)) == [0]
    said = cut(tmp_path, random.Random(0))
    assert said.startswith(f"trials/0000.json cut from {len(whole)} to ")
    assert len(path.read_bytes()) < len(whole) and whole.startswith(path.read_bytes())
    assert kept_of(tmp_path) == {}
    path.write_bytes(whole)
    (tmp_path / "trials" / "0000.outcomes.safetensors").write_bytes(b"short")
    assert kept_of(tmp_path) == {}, "it is run again"


def test_a_torture_broken_off_before_its_last_study_was_compared_is_not_done(tmp_path):
    campaign = Campaign(layer="store", seed=0, work=tmp_path, kills=5, studies=2)
    assert campaign.needs(6, tmp_path) and not campaign.needs(5, tmp_path)
    (tmp_path / "study-2").mkdir()
    assert campaign.needs(5, tmp_path)


LIFE = """
import sys
from pathlib import Path
from tasksearch.torture.bare import live
live(Path(sys.argv[1]), 3, 0, tracked=True)
"""


LOOK = """
import json, sys
from pathlib import Path
from tasksearch.torture.comparison import substance
print(json.dumps(substance(Path(sys.argv[1]))))
"""


def test_files_of_a_study_that_were_cut_short_are_made_again_whichever_they_are(tmp_path):
    folder = tmp_path / "study"

    def life():
        done = subprocess.run([sys.executable, "-c", LIFE, folder], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def look():  # in a process of its own: MLflow keeps connections, and would go on reading the file that was put aside
        done = subprocess.run([sys.executable, "-c", LOOK, folder], capture_output=True, text=True, timeout=300, check=True)
        return json.loads(done.stdout)

    life()
    was = look()
    assert set(was["mlflow"].values()) == {"FINISHED"} and list(was["trials"]) == ["0", "1", "2"]
    cut_short = ["mlflow.db", "study.json", "study.id", "sizes.json", "optuna.journal", "trials/0001.json"]
    for name in cut_short:
        path = folder / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    said = life()
    now = look()
    assert difference(was, now) is None and difference(now, was) is None
    assert "mlflow.db is damaged: kept as mlflow.db.damaged and written again from the study's records" in said
    assert {path.name for path in folder.rglob("*.damaged")} == {"mlflow.db.damaged", "0001.json.damaged"}
