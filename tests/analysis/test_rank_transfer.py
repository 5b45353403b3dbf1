"""Which mixes go from one encoder to another, and how alike two encoders rank them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksearch.analysis.transfer import Ranked, chosen_places, rank_correlation, rank_correlations
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import Objective
from tasksearch.core.transfer import SharedTarget

GROUPS = {"nli": "classification", "topic": "classification", "tag": "tagging"}


@settings(max_examples=40)
@given(designed=st.lists(st.booleans(), min_size=1, max_size=60), data=st.data())
def test_the_best_a_free_baseline_and_a_spread_of_the_rest(designed, data):
    confirm = data.draw(st.integers(1, len(designed)))
    places = chosen_places(designed, confirm)
    assert places == tuple(sorted(set(places))) and set(range(confirm)) <= set(places)
    assert len(places) == min(2 * confirm, len(designed))
    assert not any(designed) or any(designed[place] for place in places)
    rest = len(designed) - confirm
    if rest >= 2 * confirm and any(designed[:confirm]):  # one of every equal part of the rest
        parts = [confirm * (place - confirm) // rest for place in places if place >= confirm]
        assert parts == list(range(confirm))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(-50, 50), st.integers(-50, 50)),
        min_size=5,
        max_size=40,
        unique_by=(lambda p: p[0], lambda p: p[1]),
    )
)
def test_the_correlation_is_of_ranks_and_lies_in_its_interval(pairs):
    first, second = (np.array(each, dtype=float) for each in zip(*pairs, strict=True))
    found = rank_correlation("all", first, second)
    ranks = [np.argsort(np.argsort(each)) for each in (first, second)]
    assert found.value == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert -1 <= found.low <= found.value <= found.high <= 1 and found.low < found.high
    again = rank_correlation("all", np.exp(first / 10), second**3)
    assert again.value == pytest.approx(found.value)
    turned = rank_correlation("all", first, -second)
    assert (turned.value, turned.low) == (pytest.approx(-found.value), pytest.approx(-found.high))


def test_few_or_equal_mixes_have_no_interval_or_no_correlation():
    def of(count):
        return rank_correlation("all", np.arange(count, dtype=float), np.arange(count, dtype=float))

    assert of(2).value is None and (of(4).value, of(4).low) == (1.0, None)
    assert of(5).high == 1.0 and 0 < of(5).low < of(9).low < 1
    assert rank_correlation("all", np.zeros(9), np.arange(9.0)).value is None


def test_kinds_of_targets_have_their_own_where_there_are_several():
    shared = [SharedTarget(name=name, weight=weight, languages=("xx",)) for name, weight in (("nli", 1.0), ("tag", 3.0))]
    first, second = [(0, 0), (1, 1), (2, 2)], [(2, 0), (1, 1), (0, 2)]
    rows = rank_correlations(first, second, shared, GROUPS)
    assert [(row.name, row.value) for row in rows] == [("all", 1.0), ("classification", -1.0), ("tagging", 1.0)]
    assert [row.name for row in rank_correlations([(0,)], [(0,)], shared[:1], GROUPS)] == ["all"]


CELLS = [(target, language) for target in GROUPS for language in ("en", "xx", "yy")]


def mix(n, rates):
    """Mixes 2k and 2k + 1 differ in their learning rate alone, if they have one."""
    shares = Mixture.of({"ccg": n // (2 if rates else 1), "mnli": 9})
    return Schedule.joint(shares, 64).at_rate(rates and rates[n % 2])


def study(toy, gains, rates=None):
    """Records of three baseline seeds at 50 ± 1 and of a mix per gain, alike in every cell, with a learning rate each."""
    bare = [toy.record(n, seed=n, scores=toy.table(dict.fromkeys(CELLS, 49.0 + n))) for n in range(3)]
    mixes = [
        toy.record(
            n, role="search", objective=gain,
            schedule=mix(n, rates),
            scores=toy.table(dict.fromkeys(CELLS, 50.0 + gain)),
        )
        for n, gain in enumerate(gains, 3)
    ]  # fmt: skip
    return Ranked.of([*bare, *mixes])


def weights(shared):
    return {one.name: (one.weight, one.languages) for one in shared}


def test_what_is_shared_is_what_both_score_and_the_objective_counts(toy):
    ranked = study(toy, [1.0, 2.0])
    here = {("nli", "xx"), ("nli", "zz"), ("tag", "xx"), ("tag", "yy"), ("tag", "en"), ("qa", "xx")}
    assert weights(ranked.shared(here, Objective(), GROUPS)) == {"nli": (0.5, ("xx",)), "tag": (0.5, ("xx", "yy"))}
    english = ranked.shared(here, Objective(targets=(("tag", 1.0), ("qa", 2.0)), languages=("en", "zz")), GROUPS)
    assert weights(english) == {"tag": (1.0, ("en",))}
    assert weights(ranked.shared(set(CELLS), Objective(), GROUPS))["nli"] == (0.25, ("xx", "yy")), "kinds weigh alike"
    for cells, objective in (
        ({("qa", "xx")}, Objective()), ({("nli", "zz")}, Objective()), ({("nli", "en")}, Objective()),
        (here, Objective(targets=(("qa", 1.0),))), (here, Objective(languages=("zz",))),
    ):  # fmt: skip
        assert ranked.shared(cells, objective, GROUPS) == ()


def test_mixes_are_ranked_by_gain_and_a_learning_rate_makes_no_mix(toy):
    shared = study(toy, [1.0]).shared(set(CELLS), Objective(), GROUPS)
    plain = study(toy, [1.0, 3.0, 2.0]).ranking(shared)
    assert [one.first.number for one in plain.values()] == [4, 5, 3]
    assert next(iter(plain.values())).gains == pytest.approx((0.6, 0.6, 0.6))  # 3 points, 5 of them a deviation of 100 examples
    rated = study(toy, [1.0, 3.0, 2.0, 0.5, 9.0], rates=(1e-5, 2e-4)).ranking(shared)
    assert [one.first.number for one in rated.values()] == [7, 4, 3]
    assert all(each.learning_rate is None for each in rated)
