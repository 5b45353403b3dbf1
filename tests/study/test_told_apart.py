"""What an older study may have scored on another language's text is said beside its numbers."""

import dataclasses

import pytest

from tasksearch.core import told_apart
from tasksearch.core.score import Score, ScoreTable
from tasksearch.records.ledger import Ledger
from tasksearch.study.best import open_suite
from tasksearch.study.told_apart import mistaken_note
from tasksearch.tasks.catalogue import load_suite

LOWRES, XTREME = load_suite("lowres"), load_suite("xtreme")


@pytest.fixture
def study(planted, tmp_path):
    """A folder with finished trials of an earlier version; what is asked of it is read from a configuration."""
    planted.run_in_process(planted.open_manager(tmp_path, trials=5, leaders=0), tmp_path, most=3)
    return tmp_path


def note(planted, study, languages=("ar", "hi", "sw"), targets=("tatoeba",), cap=100, suite=LOWRES):
    config = planted.config(suite=suite.name, targets=targets, languages=languages)
    overrides = dataclasses.replace(config.overrides, evaluation_examples=cap)
    return mistaken_note(suite, dataclasses.replace(config, overrides=overrides), study)


def test_languages_with_as_many_examples_as_were_cached_are_named(planted, study):
    assert note(planted, study).startswith("tatoeba in ar, hi: scored by a version that could take one language's text")
    assert not note(planted, study, languages=("hi", "sw", "te"))  # alone of its size, a language is mistaken for none
    assert not note(planted, study, targets=("sib200",))  # 204 sentences
    assert not note(planted, study, targets=("xnli",), suite=XTREME)  # a hundred examples were not cached
    assert not note(planted, study, targets=("xnli",), suite=XTREME, cap=999)
    assert "afrisenti in am, ha: scored" in note(planted, study, languages=("am", "ha"), targets=("afrisenti",), cap=500)
    assert not note(planted, study, languages=("am", "ha"), targets=("afrisenti",), cap=499)  # two halves of 499
    assert "xnli in ar, hi, sw: scored" in note(planted, study, targets=("xnli",), suite=XTREME, cap=None)


def test_a_card_that_counts_nothing_is_judged_by_what_was_scored(planted, study):
    """A suite of one's own need not say how many examples its files hold."""
    cards = tuple(dataclasses.replace(card, expected=()) for card in LOWRES.cards)
    own = dataclasses.replace(LOWRES, cards=cards)
    ledger = Ledger(study)
    (first, *_) = ledger.written()
    asked = {"languages": ("am", "ha"), "targets": ("afrisenti",), "suite": own}
    assert not note(planted, study, cap=None, **asked)  # nothing of it was scored
    for examples, cap, named in ((499, None, False), (500, None, True), (500, 500, True), (499, 499, False)):
        scores = [
            Score(target=target, language=language, half=half, metric="accuracy", value=50.0, examples=examples, seed=0)
            for target, language in (("afrisenti", "am"), ("afrisenti", "ha"), ("tatoeba", "ar"), ("tatoeba", "hi"))
            for half in ("select", "report")
        ]
        ledger.write(dataclasses.replace(first, scores=ScoreTable.of(scores)))
        assert bool(note(planted, study, cap=cap, **asked)) is named
    assert "tatoeba in ar, hi" in note(planted, study, languages=("ar", "hi"), suite=own, cap=499)  # its pool is whole


def test_a_study_that_was_scored_since_says_nothing(planted, study):
    ledger = Ledger(study)
    assert told_apart.any_before(ledger.written())
    for record in ledger.written():
        ledger.write(dataclasses.replace(record, facts=(*record.facts, *told_apart.FACT.items())))
    assert not told_apart.any_before(ledger.written()) and not note(planted, study)


def test_it_stands_beside_every_number_of_the_study(planted, study):
    config = planted.config(suite="lowres", targets=("tatoeba",), languages=("ar", "en", "hi"), model="x", data=str(study))
    Ledger(study).save_config(config)
    assert "do not use these numbers" in open_suite(study)[1].warning
