"""The best few rows for all columns: what brute force finds, and nothing lost on the way to it."""

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tasksearch.analysis.portfolio import subsets
from tasksearch.analysis.portfolio.subsets import EVERY, GREEDY, best_rows, undominated

TABLES = arrays.arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(1, 5)), elements=st.integers(-4, 4).map(float))


def value(worth, rows):
    return worth[list(rows)].max(axis=0).sum()


@settings(deadline=None, max_examples=40)
@given(TABLES, st.integers(1, 3))
def test_no_subset_of_that_size_is_better(worth, size):
    rows, how = best_rows(worth, size)
    assert how == EVERY and list(rows) == sorted(set(rows)) and 1 <= len(rows) <= size
    every = combinations(range(len(worth)), min(size, len(worth)))
    assert value(worth, rows) == max(value(worth, other) for other in every)


@settings(deadline=None, max_examples=40)
@given(TABLES, st.integers(1, 3))
def test_every_row_that_is_kept_serves_a_column_and_more_rows_never_hurt(worth, size):
    rows, _ = best_rows(worth, size)
    assert set(np.array(rows)[worth[list(rows)].argmax(axis=0)]) == set(rows)
    more, _ = best_rows(worth, size + 1)
    assert value(worth, more) >= value(worth, rows)


@settings(deadline=None, max_examples=40)
@given(TABLES)
def test_rows_that_another_equals_or_beats_everywhere_are_left_out_and_no_other(worth):
    kept = set(undominated(worth).tolist())
    for row in range(len(worth)):
        rivals = [other for other in range(len(worth)) if other != row and (worth[other] >= worth[row]).all()]
        equals = [other for other in rivals if (worth[other] == worth[row]).all()]
        assert (row in kept) == (not [r for r in rivals if r not in equals] and all(row < other for other in equals))


@settings(deadline=None, max_examples=40)
@given(TABLES, st.integers(1, 3))
def test_greedy_with_exchanges_is_near_the_best_and_ends(worth, size):
    worth = worth - worth.min()  # the bound is for gains that are not negative
    rows = subsets._greedy(worth, min(size, len(worth)))
    best, _ = best_rows(worth, size)
    assert value(worth, best) >= value(worth, rows) >= (1 - 1 / np.e) * value(worth, best) - 1e-9


def test_where_every_subset_costs_too_much_the_answer_says_so(monkeypatch):
    worth = np.random.default_rng(0).normal(size=(12, 6))
    monkeypatch.setattr(subsets, "_MOST", 10)
    rows, how = best_rows(worth, 3)
    assert how == GREEDY and len(rows) == 3
    for left in rows:
        for other in range(12):
            assert value(worth, [*(row for row in rows if row != left), other]) <= value(worth, rows), "no exchange is better"
