"""Several studies side by side: every verdict is the study's own, and nothing is asked a second time."""

import csv
import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.records.holdout_log import holdout_uses
from tasksearch.records.ledger import Ledger
from tasksearch.study.best import best_of
from tasksearch.study.compare import compare_studies


@pytest.fixture
def two(planted_folder, tmp_path):
    first, second = (shutil.copytree(planted_folder, tmp_path / name) for name in ("first", "second"))
    Ledger(second).save_config(dataclasses.replace(Ledger(second).config(), name="larger", model="large"))
    for folder in (first, second):
        (folder / "readings.json").unlink(missing_ok=True)
    return first, second


def test_each_study_stands_with_its_own_verdict_by_the_rule_it_was_asked_by(two):
    asked = best_of(two[1], rule="english-dev")
    found = compare_studies(two)
    assert [study.name for study in found.studies] == ["planted", "larger"]
    assert found.studies[0].verdict == best_of(two[0]) and found.studies[1].verdict == asked
    assert [len(holdout_uses(folder)) for folder in two] == [1, 1]
    assert found.differing == ("model", "rule")
    assert found.rows == ("far", "near", *(row for row in found.rows if row not in ("far", "near")))


def test_two_of_one_name_are_told_apart_by_their_folders(two):
    Ledger(two[1]).save_config(Ledger(two[0]).config())
    assert [study.name for study in compare_studies(two).studies] == [str(folder) for folder in two]


def test_a_study_without_a_verdict_says_why(two, planted):
    for path in Ledger(two[1]).record_paths()[5:]:
        path.unlink()
    found = compare_studies(two)
    assert found.studies[1].verdict is None and found.studies[1].pending
    assert found.studies[0].verdict is not None


def test_one_study_or_none_or_no_study_is_one_line(two, tmp_path):
    with pytest.raises(BadInput, match="expected at least two, each once"):
        compare_studies([two[0], two[0] / "."])
    with pytest.raises(StudyNotReady, match="no study in"):
        compare_studies([two[0], tmp_path / "nowhere"])


def test_the_command_prints_every_study_in_every_block_and_one_object(two):
    printed = CliRunner().invoke(app, ["compare", *map(str, two)], env={"COLUMNS": "80"}, catch_exceptions=False).output
    assert max(map(len, printed.splitlines())) <= 80
    assert printed.count("larger") >= 3 and "differ in model" in printed
    told = json.loads(CliRunner().invoke(app, ["compare", *map(str, two), "--json"], catch_exceptions=False).output)
    assert [one["name"] for one in told["studies"]] == ["planted", "larger"]
    assert told["studies"][0]["verdict"]["choices"][0]["gain"]["value"] is not None


def test_its_tables_are_written_for_a_spreadsheet_and_a_paper(two, tmp_path):
    asked = ["compare", *map(str, two), "--tables", str(tmp_path / "there")]
    told = json.loads(CliRunner().invoke(app, [*asked, "--json"], catch_exceptions=False).output)
    files = [Path(name) for name in told["tables"]]
    assert {"studies.csv", "studies.tex", "comparison.csv", "comparison.tex"} <= {file.name for file in files}
    rows = list(csv.reader((tmp_path / "there/comparison.csv").read_text("utf-8").splitlines()))
    assert rows[0][1:4] == ["study", "mix", "gain [95 %]"] and {row[1] for row in rows[1:]} == {"planted", "larger"}
