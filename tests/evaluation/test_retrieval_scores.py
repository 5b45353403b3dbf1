"""Retrieval and answer texts against brute force."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.evaluation.neighbours import nearest, unit_vectors
from tasksearch.evaluation.spans import MAX_ANSWER, answers, best_span
from tasksearch.metrics.outcomes import accuracy_outcomes, token_accuracy_outcomes, value_of
from tasksearch.metrics.squad import em_f1, exact_match, f1, normalise
from tasksearch.tasks.examples import SpanExample
from tasksearch.tasks.ragged import Ragged


@given(st.integers(0, 1000), st.integers(1, 40), st.integers(1, 40))
def test_nearest_is_what_brute_force_finds(seed, queries, pool):
    rng = np.random.default_rng(seed)
    a, b = (unit_vectors(rng.normal(size=(n, 8)).astype(np.float32), centering=False) for n in (queries, pool))
    scores = a @ b.T
    assert np.allclose(scores[np.arange(queries), nearest(a, b)], scores.max(axis=1), atol=1e-6)


@pytest.mark.parametrize("queries", [3, 50])
def test_of_equal_neighbours_the_first_is_taken(queries):
    wanted = np.arange(queries) % 8
    pool = np.eye(8, dtype=np.float32)[np.arange(60) % 8]
    assert nearest(np.eye(8, dtype=np.float32)[wanted], pool).tolist() == wanted.tolist()


def test_vectors_have_length_one_and_a_vector_of_nothing_stays_nothing():
    vectors = np.array([[3, 4], [0, 0], [1e-3, 0]], dtype=np.float32)
    assert np.allclose(np.linalg.norm(unit_vectors(vectors, centering=False), axis=1), [1, 0, 1])


@given(st.integers(0, 1000), st.integers(2, 30))
def test_a_window_without_context_gives_no_answer_and_the_best_window_gives_it(seed, tokens):
    rng = np.random.default_rng(seed)
    context = "".join(rng.choice(list("abc"), 2 * tokens))
    edges = [[edge for i in range(at, at + tokens) for edge in (i, i + 1)] for at in (0, tokens)]
    items = SimpleNamespace(owner=np.array([0, 0, 1]), offsets=Ragged.of([*edges, []]))
    low, high = np.zeros(tokens, dtype=np.float32), np.zeros(tokens, dtype=np.float32)
    high[tokens - 1] = 5
    empty = np.empty(0, dtype=np.float32)
    examples = [SpanExample("1", "q", context, ()), SpanExample("2", "q", "", ())]
    assert answers(items, examples, [(low, low), (high, high), (empty, empty)]) == [context[-1], ""]


def test_centering_takes_off_what_a_language_has_in_common():
    rng = np.random.default_rng(0)
    english = rng.normal(size=(50, 8)).astype(np.float32)
    other = english + np.float32(5.0)
    shifted = nearest(*(unit_vectors(part, centering=False) for part in (english, other)))
    centred = nearest(*(unit_vectors(part, centering=True) for part in (english, other)))
    assert (centred == np.arange(50)).all()
    assert not (shifted == np.arange(50)).all()


@given(st.integers(0, 1000), st.integers(1, 15))
def test_the_best_span_is_the_best_of_all_allowed_pairs(seed, tokens):
    rng = np.random.default_rng(seed)
    starts, ends = rng.normal(size=(2, tokens)).astype(np.float32)
    score, first, last = best_span(starts, ends)
    every = {(i, j): starts[i] + ends[j] for i in range(tokens) for j in range(i, min(tokens, i + MAX_ANSWER))}
    assert np.isclose(score, max(every.values()))
    assert np.isclose(every[first, last], score)


def test_squad_scores_of_worked_examples():
    assert normalise("The  Cat's, a hat!") == "cats hat"
    assert exact_match("the cat", "Cat.") == 1.0
    assert f1("a black cat", "black dog") == 0.5
    assert f1("", "cat") == 0.0
    assert em_f1("black cat", ["dog", "cat"]) == (0 + 2 / 3) / 2


def test_scores_are_ratios_of_sums():
    assert value_of(accuracy_outcomes(np.array([1, 2, 3, 4]), np.array([1, 2, 0, 0]))) == 50.0
    assert value_of(token_accuracy_outcomes([[1, 1, 1], [0]], [[1, 1, 0], [0]])) == 75.0
