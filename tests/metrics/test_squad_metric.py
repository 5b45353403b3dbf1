"""SQuAD's EM and F1 against a plain re-statement of evaluate-v1.1.py, and against cases worked by hand."""

import re
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.metrics.outcomes import accuracy_outcomes, ratio_outcomes, token_accuracy_outcomes, value_of
from tasksearch.metrics.squad import em_f1, exact_match, f1, normalise

answer_texts = st.lists(
    st.sampled_from(
        ["a", "The", "an", "cat", "Cat.", "cat's", "theatre", "the-cat", "…", "the", "ñandú", "42", "4,2", " ", "\u00a0b", "İx"]
    )
).map(" ".join) | st.text(max_size=12)


def v11_normalize(s):
    exclude = set(string.punctuation)
    s = "".join(ch for ch in s.lower() if ch not in exclude)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", s).split())


def v11_f1(prediction, truth):
    prediction_tokens, truth_tokens = v11_normalize(prediction).split(), v11_normalize(truth).split()
    num_same = sum((Counter(prediction_tokens) & Counter(truth_tokens)).values())
    if num_same == 0:
        return 0
    precision, recall = 1.0 * num_same / len(prediction_tokens), 1.0 * num_same / len(truth_tokens)
    return (2 * precision * recall) / (precision + recall)


@given(answer_texts, st.lists(answer_texts, min_size=1, max_size=3))
def test_scores_are_those_of_the_reference_script(prediction, golds):
    em = max(v11_normalize(prediction) == v11_normalize(gold) for gold in golds)
    best = max(v11_f1(prediction, gold) for gold in golds)
    assert em_f1(prediction, golds) == pytest.approx((em + best) / 2, abs=1e-12)


@given(answer_texts, answer_texts)
def test_f1_is_symmetric_within_0_and_1_and_1_for_an_exact_match_with_words(a, b):
    assert f1(a, b) == pytest.approx(f1(b, a))
    assert 0 <= f1(a, b) <= 1
    if exact_match(a, b) and normalise(a):
        assert f1(a, b) == 1


@pytest.mark.parametrize(
    ("prediction", "gold", "em", "overlap"),
    [
        ("The Cat", "cat", 1, 1),
        ("a black cat", "the cat", 0, 2 / 3),
        ("cat cat", "cat", 0, 2 / 3),
        ("theatre", "the atre", 0, 0),
        ("the", "a", 1, 0),  # nothing is left of either: EM counts it, F1 does not, as in the script
        ("well-known", "well known", 0, 0),
    ],
)
def test_worked_cases(prediction, gold, em, overlap):
    assert exact_match(prediction, gold) == em
    assert f1(prediction, gold) == pytest.approx(overlap)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_accuracy_is_the_share_of_equal_labels(pairs):
    predicted, gold = (np.array(side) for side in zip(*pairs, strict=True))
    assert value_of(accuracy_outcomes(predicted, gold)) == pytest.approx(100 * np.mean(predicted == gold))


@given(st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)))))
def test_token_accuracy_counts_tokens_not_sentences(sentences):
    outcomes = token_accuracy_outcomes([[p for p, _ in s] for s in sentences], [[g for _, g in s] for s in sentences])
    flat = [p == g for s in sentences for p, g in s]
    assert outcomes.shape == (len(sentences), 2)
    assert value_of(outcomes) == pytest.approx(100 * sum(flat) / len(flat) if flat else 0.0)


def test_a_sentence_with_another_number_of_predictions_is_our_own_defect():
    with pytest.raises(ValueError, match="zip"):
        token_accuracy_outcomes([[1]], [[1, 2]])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_ratios_average(values):
    assert value_of(ratio_outcomes(values)) == pytest.approx(100 * np.mean(values), abs=1e-4)
