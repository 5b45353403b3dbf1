"""`best --effects`: effects from a study folder; nothing of the reporting halves is read, and nothing is asked."""

import json
import re
import shutil

import pytest

from tasksearch.core.errors import StudyNotReady
from tasksearch.records.holdout_log import holdout_uses
from tasksearch.records.ledger import Ledger
from tasksearch.study.coverage import LanguageNotCovered
from tasksearch.study.task_effects import task_effects_of


@pytest.fixture
def copy(planted_folder, tmp_path):
    folder = shutil.copytree(planted_folder, tmp_path / "study")
    (folder / "readings.json").unlink(missing_ok=True)
    return folder


def test_it_needs_no_outcomes_and_asks_no_question(copy):
    for path in [*copy.glob("trials/*.outcomes.safetensors")]:
        path.unlink()
    found = task_effects_of(copy)
    assert [row.name for row in found.rows][:3] == ["far", "near", "all"] and found.tasks == ("ccg", "mnli", "qqp")
    assert holdout_uses(copy) == []


def test_the_command_says_it_in_lines_and_in_json(copy):
    from typer.testing import CliRunner

    from tasksearch.cli.app import app

    shown = CliRunner().invoke(app, ["best", str(copy), "--effects", "--language", "far"])
    assert shown.exit_code == 0, shown.output
    assert "far: what the tasks do" in shown.output
    assert re.search(r"drop qqp\s+[+-]\d+\.\d ± \d+\.\d\s+[+-]\d+\.\d ± \d+\.\d\s+\d+", shown.output)
    whole = CliRunner().invoke(app, ["best", str(copy), "--effects"]).output
    assert "Leaving one task out" in whole and "all: what the tasks do" in whole
    told = json.loads(CliRunner().invoke(app, ["best", str(copy), "--effects", "--json"]).output)
    far = next(row for row in told["rows"] if row["name"] == "far")
    assert re.fullmatch(r"drop ccg: [+-]\d+\.\d ± \d+\.\d", far["lines"][0])
    assert holdout_uses(copy) == []


def test_a_language_that_was_not_scored_and_a_study_without_mixes_are_one_line(copy):
    with pytest.raises(LanguageNotCovered, match="is scored in 'sov'"):
        task_effects_of(copy, ["sov"])
    for record in Ledger(copy).records():
        if record.number >= 3:  # all but the baseline that comes first
            Ledger(copy).record_path(record.number).unlink()
    with pytest.raises(StudyNotReady, match="no mix of the search is finished yet"):
        task_effects_of(copy)
