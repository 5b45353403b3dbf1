"""The verdict of a study folder: questions to the reporting examples are recorded only where they were answered."""

import dataclasses
import shutil

import pytest

from tasksearch.core.errors import StudyNotReady, UnknownName
from tasksearch.records.holdout_log import EVERY_RULE, headline, holdout_uses
from tasksearch.records.ledger import Ledger
from tasksearch.study.best import best_of, rules_of
from tasksearch.study.coverage import LanguageNotCovered
from tasksearch.study.report import report_of
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
    assert best_of(folder, rule="target-dev").adaptive
    assert headline(holdout_uses(folder)) == "pivot-dev" and not best_of(folder).adaptive


def test_one_target_is_chosen_for_and_reported_alone(planted_folder, tmp_path):
    folder = shutil.copytree(planted_folder, tmp_path / "study")
    (folder / "readings.json").unlink(missing_ok=True)
    whole, nli, tag = best_of(folder), best_of(folder, target="nli"), best_of(folder, target="tag")
    for verdict, target in ((nli, "nli"), (tag, "tag")):
        assert verdict.target == target and verdict.baseline_comparison is None
        for choice in verdict.choices:
            assert [one.target for one in choice.targets] == [target] and choice.targets[0].gain.value == choice.gain.value
            same = whole[choice.name].mix_signature == choice.mix_signature
            in_table = next(one for one in whole[choice.name].targets if one.target == target)
            assert (in_table.gain.value == pytest.approx(choice.gain.value)) is same
    assert (nli.adaptive, tag.adaptive) == (False, True), "only another choice of mix is a second look"
    assert [use.rule for use in holdout_uses(folder)] == ["pivot-dev", "pivot-dev for tag"]
    with pytest.raises(UnknownName, match=r"target of the study 'tga'; did you mean 'tag'"):
        best_of(folder, target="tga")


def test_the_study_s_own_rule_chooses_where_none_is_asked_for(planted_folder, tmp_path):
    folder = shutil.copytree(planted_folder, tmp_path / "study")
    (folder / "readings.json").unlink(missing_ok=True)
    Ledger(folder).save_config(dataclasses.replace(Ledger(folder).config(), select="target-dev"))
    assert best_of(folder).rule == "target-dev" and not best_of(folder).adaptive
    assert report_of(folder).verdict.rule == "target-dev"
    assert best_of(folder, rule="pivot-dev").adaptive


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
    unknown = str(LanguageNotCovered("faar", suite, (), ["far"]))
    assert unknown.endswith("(scored: far), and `tasksearch languages` lists all codes")
    known = "no target of this study is scored in 'fr'; nor does any target of suite lab cover it"
    assert str(LanguageNotCovered("fr", suite, (), ["far"])) == known


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
