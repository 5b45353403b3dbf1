"""The verdict of a study folder: questions to the reporting examples are recorded only where they were answered."""

import dataclasses
import shutil

import pytest

from tasksearch.core.errors import AlreadyRead, StudyNotReady, UnknownName
from tasksearch.records.holdout_log import EVERY_RULE, headline, holdout_uses
from tasksearch.records.ledger import Ledger
from tasksearch.study.best import best_of, rules_of
from tasksearch.study.coverage import LanguageNotCovered
from tasksearch.tasks.catalogue import load_suite


def test_a_rule_that_cannot_choose_has_asked_nothing(planted, tmp_path, monkeypatch):
    monkeypatch.setattr(planted, "LANGUAGES", ("en", "far"))
    settings = {"leader_seeds": 3, "languages": ("en", "far")}
    Ledger(tmp_path).save_config(planted.config(**settings))
    planted.run_in_process(planted.open_manager(tmp_path, **settings), tmp_path)
    with pytest.raises(StudyNotReady, match="no selection examples for 'far' by pivot-dev"):
        best_of(tmp_path)
    assert holdout_uses(tmp_path) == []
    assert best_of(tmp_path, rule="english-dev").rule == "english-dev"
    assert [question.rule for question in holdout_uses(tmp_path)] == ["english-dev"]


def test_the_table_of_every_rule_is_a_reading_and_leaves_the_headline_alone(planted_folder, tmp_path):
    folder = shutil.copytree(planted_folder, tmp_path / "study")
    (folder / "readings.json").unlink(missing_ok=True)
    first = best_of(folder)
    rules_of(folder)
    rules_of(folder)
    questions = holdout_uses(folder)
    assert [question.rule for question in questions] == ["pivot-dev", EVERY_RULE]
    assert headline(questions) == "pivot-dev"
    assert not first.adaptive and not best_of(folder).adaptive
    with pytest.raises(AlreadyRead, match=r"best --rules"):
        best_of(folder, rule="target-dev")
    assert best_of(folder, rule="target-dev", reopen=True).adaptive


def test_a_language_that_was_not_scored_is_one_line_with_the_targets_that_would_cover_it(planted_folder):
    suite = load_suite("lab")
    covering = [card.name for card in suite.targets if "sov" in card.languages]
    ours = [name for name in covering if name in ("nli", "tag")]
    with pytest.raises(UnknownName, match="no target of this study is scored in 'sov'") as caught:
        best_of(planted_folder, languages=["sov"])
    assert "\n" not in str(caught.value)
    assert ours and " and ".join(ours) + " of this study can be: `tasksearch extend` it with --language sov" in str(
        caught.value
    )
    assert f"suite lab covers it by {', '.join(covering)}" in str(LanguageNotCovered("sov", suite, (), ["far"]))
    with pytest.raises(UnknownName, match="nor does any target of suite lab cover it; no language 'faar'; did you mean 'far'"):
        best_of(planted_folder, languages=["faar"])


def test_a_language_of_the_study_that_none_of_its_targets_has_is_told_too(planted_folder, tmp_path):
    folder = shutil.copytree(planted_folder, tmp_path / "study")
    config = Ledger(folder).config()
    Ledger(folder).save_config(dataclasses.replace(config, languages=("en", "far", "near", "sov")))
    with pytest.raises(LanguageNotCovered, match="is scored in 'sov'"):
        best_of(folder, languages=["sov"])


def test_no_score_of_a_verdict_leaves_the_scale(planted_folder):
    for choice in best_of(planted_folder).choices:
        for row in (choice, *choice.targets):
            assert 0 <= row.score.low <= row.score.high <= 100 and 0 <= row.baseline.low <= row.baseline.high <= 100
