"""The verdict of a study folder: what was asked of the reporting halves is what could be answered."""

import shutil

import pytest

from tasksearch.core.errors import AlreadyRead, StudyNotReady
from tasksearch.search.ledger import Ledger
from tasksearch.search.readings import EVERY_RULE, headline, read_questions
from tasksearch.study.best import best_of, rules_of


def test_a_rule_that_cannot_choose_has_asked_nothing(planted, tmp_path, monkeypatch):
    monkeypatch.setattr(planted, "LANGUAGES", ("en", "far"))
    settings = {"leader_seeds": 3, "languages": ("en", "far")}
    Ledger(tmp_path).save_config(planted.config(**settings))
    planted.run_in_process(planted.open_book(tmp_path, **settings), tmp_path)
    with pytest.raises(StudyNotReady, match="nothing to choose on for 'far' by pivot-dev"):
        best_of(tmp_path)
    assert read_questions(tmp_path) == []
    assert best_of(tmp_path, rule="english-dev").rule == "english-dev"
    assert [question.rule for question in read_questions(tmp_path)] == ["english-dev"]


def test_the_table_of_every_rule_is_a_reading_and_leaves_the_headline_alone(planted_folder, tmp_path):
    folder = shutil.copytree(planted_folder, tmp_path / "study")
    (folder / "readings.json").unlink(missing_ok=True)
    first = best_of(folder)
    rules_of(folder)
    rules_of(folder)
    questions = read_questions(folder)
    assert [question.rule for question in questions] == ["pivot-dev", EVERY_RULE]
    assert headline(questions) == "pivot-dev"
    assert not first.adaptive and not best_of(folder).adaptive
    with pytest.raises(AlreadyRead, match=r"best --rules"):
        best_of(folder, rule="target-dev")
    assert best_of(folder, rule="target-dev", reopen=True).adaptive
