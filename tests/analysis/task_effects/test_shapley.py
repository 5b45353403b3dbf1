"""Shapley's axioms: all is handed out, equals get equal, who adds nothing gets nothing; exact where effects simply add up."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksearch.analysis.task_effects.shapley import coalitions, shapley_weights

GAMES = st.integers(1, 4).flatmap(
    lambda p: st.lists(st.integers(-9, 9).map(float), min_size=2**p - 1, max_size=2**p - 1).map(np.array)
)


def players(worth):
    return int(np.log2(len(worth) + 1))


def value_of(worth, members):
    """Worth of a set of players; the empty one is worth nothing."""
    return worth[sum(1 << i for i in members) - 1] if members else 0.0


@settings(deadline=None, max_examples=40)
@given(GAMES)
def test_it_is_the_mean_of_what_each_adds_over_all_orders(worth):
    p = players(worth)
    expected = np.zeros(p)
    orders = list(permutations(range(p)))
    for order in orders:
        for place, player in enumerate(order):
            expected[player] += value_of(worth, order[: place + 1]) - value_of(worth, order[:place])
    assert shapley_weights(p) @ worth == pytest.approx(expected / len(orders))


@settings(deadline=None, max_examples=40)
@given(GAMES)
def test_all_that_everyone_brings_is_handed_out(worth):
    assert (shapley_weights(players(worth)) @ worth).sum() == pytest.approx(worth[-1])


@settings(deadline=None, max_examples=40)
@given(GAMES, st.data())
def test_equal_players_get_equal_and_a_dummy_gets_what_it_brings_alone(worth, data):
    p = players(worth)
    members = coalitions(p)
    one, two = data.draw(st.integers(0, p - 1)), data.draw(st.integers(0, p - 1))
    swapped = members.copy()
    swapped[:, [one, two]] = members[:, [two, one]]
    place = swapped @ (1 << np.arange(p)) - 1
    symmetric = worth + worth[place]
    values = shapley_weights(p) @ symmetric
    assert values[one] == pytest.approx(values[two])
    rest = np.array([value_of(worth, [i for i in np.flatnonzero(row) if i != one]) for row in members])
    dummy = rest + 2.5 * members[:, one]
    assert (shapley_weights(p) @ dummy)[one] == pytest.approx(2.5)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6))
def test_where_effects_add_up_each_gets_its_own(effects):
    worth = coalitions(len(effects)) @ np.array(effects)
    assert shapley_weights(len(effects)) @ worth == pytest.approx(np.array(effects), abs=1e-9)


def test_pairs_are_shared_evenly():
    members = coalitions(3)
    worth = members @ np.array([1.0, 2.0, 0.0]) + 4.0 * members[:, 0] * members[:, 2]
    assert shapley_weights(3) @ worth == pytest.approx([3.0, 2.0, 2.0])
