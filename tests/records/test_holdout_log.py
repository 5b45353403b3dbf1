"""Reporting examples: the same question as often as one likes; another one is answered, recorded and marked adaptive."""

import json

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.records.holdout_log import ask, headline, holdout_uses, part_of_earlier
from tasksearch.results.matched_comparison import QUESTION

CELLS = [("nli", "sw"), ("nli", "yo")]
FIRST = {"sw": "aaa", "yo": "bbb", "all": "aaa"}


def test_the_same_question_has_one_answer_and_is_written_once(tmp_path):
    once = ask(tmp_path, "pivot-dev", FIRST, CELLS)
    assert ask(tmp_path, "pivot-dev", FIRST, CELLS[::-1]) == once
    assert not once.adaptive
    assert holdout_uses(tmp_path) == [once]


def test_another_rule_is_answered_and_recorded_as_adaptive(tmp_path):
    ask(tmp_path, "pivot-dev", FIRST, CELLS)
    assert ask(tmp_path, "target-dev", FIRST, CELLS).adaptive
    assert [(use.rule, use.adaptive) for use in holdout_uses(tmp_path)] == [("pivot-dev", False), ("target-dev", True)]
    assert headline(holdout_uses(tmp_path)) == "pivot-dev", "a second look does not become the study's own"


def test_an_extended_study_that_chooses_anew_is_a_second_look(tmp_path):
    ask(tmp_path, "pivot-dev", FIRST, CELLS)
    grown = ask(tmp_path, "pivot-dev", FIRST | {"yo": "ccc"}, CELLS)
    assert grown.adaptive and holdout_uses(tmp_path)[-1] == grown


def test_a_question_about_fewer_rows_is_a_part_of_an_earlier_one_only_with_the_same_mixes(tmp_path):
    whole = ask(tmp_path, "pivot-dev", FIRST, CELLS)
    assert part_of_earlier(tmp_path, "pivot-dev", {"yo": "bbb"}) == whole
    assert part_of_earlier(tmp_path, "pivot-dev", {"yo": "aaa"}) is None
    assert part_of_earlier(tmp_path, "target-dev", {"yo": "bbb"}) is None


def test_a_language_that_was_never_read_is_no_second_look(tmp_path):
    ask(tmp_path, "pivot-dev", FIRST, CELLS)
    assert not ask(tmp_path, "pivot-dev", {"qu": "ddd"}, [("nli", "qu")]).adaptive


def test_a_second_look_stays_adaptive_and_the_first_answer_does_not(tmp_path):
    first = ask(tmp_path, "pivot-dev", FIRST, CELLS)
    second = ask(tmp_path, "target-dev", FIRST, CELLS)
    assert second.adaptive
    assert ask(tmp_path, "target-dev", FIRST, CELLS) == second
    assert ask(tmp_path, "pivot-dev", FIRST, CELLS) == first


def test_a_damaged_file_is_one_line(tmp_path):
    (tmp_path / "readings.json").write_text('[{"rule": 1}]')
    with pytest.raises(BadInput, match="damaged") as caught:
        ask(tmp_path, "pivot-dev", FIRST, CELLS)
    assert "\n" not in str(caught.value)


def test_a_question_that_chose_nothing_is_not_written_down_and_blocks_no_rule(tmp_path):
    assert not ask(tmp_path, "pivot-dev", dict.fromkeys(FIRST, "none"), CELLS).adaptive
    assert holdout_uses(tmp_path) == []
    assert not ask(tmp_path, "english-dev", FIRST, CELLS).adaptive


def test_a_question_that_chose_nothing_and_stands_in_an_old_file_blocks_no_rule_and_stays(tmp_path):
    ask(tmp_path, "pivot-dev", FIRST, CELLS)
    text = json.dumps(json.loads((tmp_path / "readings.json").read_text())["questions"])  # a list alone, of old
    (tmp_path / "readings.json").write_text(text.replace("aaa", "none").replace("bbb", "none"))
    assert headline(holdout_uses(tmp_path)) is None
    asked = ask(tmp_path, "english-dev", FIRST, CELLS)
    assert not asked.adaptive and len(holdout_uses(tmp_path)) == 2
    assert headline(holdout_uses(tmp_path)) == "english-dev"


def test_a_question_that_was_fixed_beforehand_and_the_others_do_not_touch_each_other(tmp_path):
    ask(tmp_path, "pivot-dev", FIRST, CELLS)
    assert not ask(tmp_path, QUESTION, {"twins": "aaa"}, CELLS).adaptive
    assert not ask(tmp_path, "pivot-dev", FIRST, CELLS).adaptive
    assert headline(holdout_uses(tmp_path)) == "pivot-dev"


@pytest.mark.parametrize("complete", [True, False])
def test_other_twins_after_an_answer_are_a_second_look_even_after_an_early_one(tmp_path, complete):
    ask(tmp_path, QUESTION, {"twins": "aaa"}, CELLS, complete=complete)
    assert not ask(tmp_path, QUESTION, {"twins": "aaa"}, CELLS).adaptive
    assert ask(tmp_path, QUESTION, {"twins": "bbb"}, CELLS).adaptive
