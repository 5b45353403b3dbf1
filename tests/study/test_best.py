"""The verdict of a study folder: what was asked of the reporting halves is what could be answered."""

import pytest

from tasksearch.core.errors import StudyNotReady
from tasksearch.search.ledger import Ledger
from tasksearch.search.readings import read_questions
from tasksearch.study.best import best_of


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
