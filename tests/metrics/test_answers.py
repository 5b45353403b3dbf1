"""MLQA's normalisers, SQuAD 2's no-answer threshold, QQP's mean, and the registry a card's metric is looked up in."""

import re
import string
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from tasksearch.analysis.estimates import linearised
from tasksearch.core.errors import UnknownName
from tasksearch.metrics import mlqa, squad_v2
from tasksearch.metrics.outcomes import qqp_outcomes, value_of
from tasksearch.metrics.registry import answer_outcomes, label_metric, tag_metric


@pytest.mark.parametrize(
    ("language", "text", "left"),
    [
        ("en", "The cat’s «hat», a hat!", "cats hat hat"),
        ("de", "Der Hut des Königs", "hut königs"),
        ("es", "Los gatos y el perro", "gatos y perro"),
        ("vi", "những con mèo của tôi", "con mèo tôi"),
        ("hi", "यह एक किताब है।", "यह एक किताब है"),
        ("ar", "البالون الكبير", "ب ون كبير"),  # the article goes inside words too, as in the script
        ("zh", "北京2008年 奥运会。", "北 京 2008 年 奥 运 会"),
    ],
)
def test_mlqa_normalises_each_language_by_its_own_rules(language, text, left):
    assert mlqa.normalise(text, language) == left


@given(st.text(alphabet="ab 中文2。,的", max_size=12))
def test_chinese_is_cut_into_characters_and_other_words_stay_whole(text):
    kept = [c for c in text.lower() if c not in string.punctuation and not unicodedata.category(c).startswith("P")]
    spaced = "".join(f" {c} " if re.match(r"[\u4e00-\u9fa5]", c) else c for c in kept)
    assert mlqa.normalise(text, "zh").split() == spaced.split()


def test_a_language_without_a_normaliser_is_refused_with_the_known_ones():
    with pytest.raises(UnknownName, match="known: ar, de, en, es, hi, vi, zh"):
        mlqa.normalise("moja", "sw")


def test_squad_2_differs_from_1_where_nothing_is_left_of_both_answers():
    assert squad_v2.em_f1_of("", []) == (1.0, 1.0)
    assert squad_v2.em_f1_of("a cat", []) == (0.0, 0.0)
    assert squad_v2.em_f1_of("the", ["an"]) == (1.0, 1.0)  # 1.1 gives F1 0
    assert squad_v2.em_f1_of("black cat", ["cat"]) == (0.0, pytest.approx(2 / 3))


questions = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0]),
        st.booleans(),
        st.sampled_from([-np.inf, -1.5, -1.0, 0.0, np.nextafter(0.0, 1.0), 0.25, 2.0]),
    )
)


@given(questions)
def test_the_best_threshold_is_the_best_of_all_that_exist(drawn):
    scores, answerable, null = (np.array([row[i] for row in drawn], dtype=kind) for i, kind in enumerate((float, bool, float)))
    cut, total = squad_v2.best_threshold(scores, answerable, null)
    every = [squad_v2.after_threshold(scores, answerable, null, t).sum() for t in (-np.inf, *null)]
    assert total == pytest.approx(max(every))
    assert squad_v2.after_threshold(scores, answerable, null, cut).sum() == pytest.approx(total)


def test_a_tie_is_never_cut():
    scores, answerable, null = np.array([1.0, 0.0]), np.array([True, False]), np.array([0.3, 0.3])
    # evaluate-v2.0.py takes the first of the two and not the second: 100 % at a threshold that gives 50 %
    assert squad_v2.best_threshold(scores, answerable, null)[1] == 1.0


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_qqp_is_the_mean_of_accuracy_and_f1_and_its_examples_pull_as_they_should(pairs):
    predicted, gold = (np.array(side) for side in zip(*pairs, strict=True))
    f1 = f1_score(gold, predicted, zero_division=0)
    outcomes = qqp_outcomes(predicted, gold)
    assert outcomes.shape == (len(pairs), 2)
    assert value_of(outcomes) == pytest.approx(50 * (accuracy_score(gold, predicted) + f1), abs=1e-4)
    both, size = (predicted & gold) * 2.0, predicted + gold * 1.0
    if size.sum():
        pull = (
            linearised(np.stack([predicted == gold, np.ones(len(gold))], axis=1)) + linearised(np.stack([both, size], axis=1))
        ) / 2
        assert np.allclose(linearised(outcomes), pull, atol=1e-3)


def test_answers_are_scored_by_the_metric_of_the_card():
    golds = [["der Hut"], [], ["rot"]]
    assert value_of(answer_outcomes("em_f1", ["Hut", "", "blau"], golds, "de")) == pytest.approx(100 * (1 / 3 + 1) / 3)
    assert value_of(answer_outcomes("mlqa_em_f1", ["Hut", "x", "Rot!"], golds, "de")) == pytest.approx(100 * 2 / 3)


def test_a_metric_that_does_not_fit_the_kind_is_named_with_its_neighbour():
    with pytest.raises(UnknownName, match="did you mean 'seqeval_f1'"):
        tag_metric("seqeval")
    with pytest.raises(UnknownName, match="metric of labels 'em_f1'"):
        label_metric("em_f1")
    with pytest.raises(UnknownName, match="metric of answers 'accuracy'"):
        answer_outcomes("accuracy", [], [], "en")
