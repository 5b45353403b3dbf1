"""`tasksearch check`: whatever of a study's folder is flipped, cut, deleted or put in another's place is found, and mended."""

import dataclasses
import os
import shutil

import pytest
from safetensors.numpy import load, save
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.records.holdout_log import ask, holdout_uses
from tasksearch.records.ledger import Ledger
from tasksearch.study.best import best_of
from tasksearch.study.verification import verify_study


@pytest.fixture
def folder(tracked_folder, tmp_path):
    copy = shutil.copytree(tracked_folder, tmp_path / "study")
    places = {finding.place for finding in verify_study(copy)}
    assert places == {"mlflow.db"}, "it names its files where they came from"
    assert {finding.place for finding in verify_study(copy, repair=True)} == {"mlflow.db", "study.location"}
    return copy


SHORT = {"trials": 8, "leaders": 1, "leader_seeds": 3}


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def remove(path):
    path.unlink()


def halve(path):
    os.truncate(path, path.stat().st_size // 2)


def be_a_folder(path):
    path.unlink()
    path.mkdir()


def found_in(folder, **options):
    return {finding.place for finding in verify_study(folder, **options)}


def complete(planted, folder):
    """What `resume` does, without Ray."""
    ledger = Ledger(folder)
    ledger.mend_config()
    ledger.mend()
    planted.run_in_process(planted.open_manager(folder, **SHORT), folder)


def test_a_whole_study_is_whole_and_nothing_of_it_is_changed_by_looking(folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "mlflow.db"}
    result = CliRunner().invoke(app, ["check", str(folder)])
    assert result.exit_code == 0 and result.output == "whole: records, outcomes, objective, store, Optuna and MLflow agree\n"
    assert {path: path.read_bytes() for path in before} == before


JSON = ("study.json", "trials/study.json", "trials/0005.json", "trials/0010.json", "sizes.json", "ended.json")
EVERY = [(name, damage) for name in JSON for damage in (flip, be_a_folder)]
EVERY += [("study.json", remove), ("trials/study.json", remove), ("trials/0005.json", halve), ("trials/0010.json", remove)]


@pytest.mark.parametrize(("name", "damage"), EVERY)
def test_json_of_every_kind_is_found_and_mended_and_the_study_comes_to_the_same(planted, folder, tracked_folder, name, damage):
    damage(folder / name)
    gone = damage is remove and name in ("trials/study.json", "sizes.json", "ended.json")  # as in studies of before
    assert (name in found_in(folder)) != gone
    assert all(finding.mended for finding in verify_study(folder, repair=True))
    complete(planted, folder)
    told = [(r.number, r.objective, r.scores) for r in Ledger(folder).records()]
    assert told == [(r.number, r.objective, r.scores) for r in Ledger(tracked_folder).records()]
    assert {p for p in found_in(folder) if not p.startswith(("MLflow", "ended"))} == set()


@pytest.mark.parametrize("damage", [flip, halve, remove, be_a_folder])
def test_outcomes_of_either_half_are_found_and_trained_again(planted, folder, tracked_folder, damage):
    name = "trials/0004.outcomes.safetensors"
    whole = (folder / name).read_bytes()
    damage(folder / name)
    assert found_in(folder) == {name}
    assert all(finding.mended for finding in verify_study(folder, repair=True))
    complete(planted, folder)
    assert (folder / name).read_bytes() == whole and found_in(folder) <= {"MLflow"}


@pytest.mark.parametrize("half", ["select", "report"])
def test_one_example_that_was_changed_is_told_with_its_cell(folder, half):
    path = Ledger(folder).outcomes_path(7)
    arrays = {name: array.copy() for name, array in load(path.read_bytes()).items()}
    arrays[f"nli/far/{half}"][3, 0] = 1 - arrays[f"nli/far/{half}"][3, 0]
    path.write_bytes(save(arrays))
    (finding,) = verify_study(folder)
    assert f"trial 7, nli/far/{half}: outcomes come to" in finding.problem


def test_an_objective_that_its_scores_do_not_come_to_is_told(folder):
    ledger = Ledger(folder)
    record = ledger.records()[9]
    ledger.write(dataclasses.replace(record, objective=record.objective + 0.001))
    found = {finding.place: finding.problem for finding in verify_study(folder)}
    assert f"its scores come to {record.objective}" in found["trials/0009.json"]


@pytest.mark.parametrize("damage", [flip, halve, remove, be_a_folder])
def test_a_journal_is_written_again_from_the_records(folder, damage):
    damage(folder / "optuna.journal")
    if found_in(folder) == set():  # the bit stood in a time, which nothing rests on
        return
    assert found_in(folder, repair=True) == {"optuna.journal"} and found_in(folder) == set()


def test_what_a_run_lacks_in_mlflow_is_written_again(folder):
    files = sorted((folder / "mlartifacts").glob("**/scores.json"))
    flip(files[0])
    files[1].unlink()
    assert found_in(folder) == {"MLflow"}
    assert [finding.mended for finding in verify_study(folder, repair=True)] == ["written again from the records"]
    assert verify_study(folder) == []


def test_lost_questions_make_what_is_read_from_then_on_adaptive(folder):
    assert not best_of(folder).adaptive
    flip(folder / "readings.json")
    with pytest.raises(BadInput, match=r"readings\.json is damaged.*`tasksearch check .* --repair` puts it aside") as caught:
        best_of(folder)
    assert "\n" not in str(caught.value)
    assert found_in(folder, repair=True) == {"readings.json"} and found_in(folder) == set()
    assert holdout_uses(folder) == [] and best_of(folder).adaptive


@pytest.mark.parametrize("numbers", [[0], [3, 4, 5, 9], [10]])
@pytest.mark.parametrize("command", ["best", "report", "trials"])
def test_every_reader_refuses_a_hole_and_names_what_is_missing(folder, numbers, command):
    for number in numbers:
        Ledger(folder).record_path(number).unlink()
    named = {1: f"the record of trial {numbers[0]};", 4: "the records of trials 3 to 5, 9;"}[len(numbers)]
    result = CliRunner().invoke(app, [command, str(folder)])
    assert isinstance(result.exception, StudyNotReady) and named in str(result.exception)
    assert not (folder / "report.html").exists() and not (folder / "readings.json").exists()


def test_a_newer_format_is_refused_in_one_line_by_readers_and_left_as_it_is(folder):
    path = Ledger(folder).record_path(6)
    newer = path.read_bytes().replace(b'"format": 2', b'"format": 9').replace(b'"checksum"', b'"seal"')
    path.write_bytes(newer)
    with pytest.raises(BadInput, match=r"0006\.json has format 9; expected at most 2: update tasksearch"):
        best_of(folder)
    assert [finding.mended for finding in verify_study(folder, repair=True) if finding.place.endswith("0006.json")] == [""]
    assert path.read_bytes() == newer


def test_a_study_of_a_version_without_checksums_opens_and_goes_on(planted, folder, tracked_folder):
    import json

    (folder / "trials" / "study.json").unlink()
    for path in [folder / "study.json", *Ledger(folder).record_paths()]:
        data = {key: value for key, value in json.loads(path.read_text()).items() if key not in ("format", "checksum")}
        path.write_text(json.dumps(data))
    assert found_in(folder) == set()
    assert best_of(folder).to_json() == best_of(tracked_folder).to_json()
    assert planted.open_manager(folder, **SHORT).complete


def test_a_question_of_a_reader_without_the_file_is_kept_with_a_checksum(tmp_path):
    ask(tmp_path, "pivot-dev", {"sw": "aaa"}, [("nli", "sw")])
    flip(tmp_path / "readings.json")
    with pytest.raises(BadInput, match="is damaged"):
        holdout_uses(tmp_path)
