"""The interval over mixtures, seeds and examples covers what it says, whichever of the three makes the noise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksearch.analysis.matched_comparison.random_effects import DifferenceTable, Items, detectable, difference
from tasksearch.core.errors import BadInput

BLOCK = ("nli", 40, False)

NOISES = {
    "mixtures alone": {"m": 1, "ms": 0.3, "mse": 5},
    "shared seeds alone": {"m": 0.1, "s": 1, "ms": 0.1, "mse": 5},
    "shared examples": {"e": 10, "me": 3, "se": 3, "mse": 20},
    "every training by itself": {"ms": 1, "mse": 20},
    "all of them": {"m": 0.5, "s": 0.4, "ms": 0.7, "e": 4, "me": 5, "se": 2, "mse": 20},
}
AXES = {"m": (1, 0, 0), "s": (0, 1, 0), "ms": (1, 1, 0), "e": (0, 0, 1), "me": (1, 0, 1), "se": (0, 1, 1), "mse": (1, 1, 1)}


def drawn(rng, shape, noise, truth=0.0):
    """Outcomes of the random model, shape (mixtures, seeds, examples)."""
    outcome = np.full(shape, truth)
    for name, size in noise.items():
        outcome = outcome + size * rng.normal(size=[n if there else 1 for n, there in zip(shape, AXES[name], strict=True)])
    return outcome


def table_of(outcome):
    scores, n = outcome.mean(axis=2), outcome.shape[2]
    return DifferenceTable(scores=scores, influence={BLOCK: (outcome - scores[..., np.newaxis]) / math.sqrt(n * (n - 1))})


def told(*outcomes, enough=True):
    """The difference over these outcomes, each of them a sheet."""
    n = outcomes[0].shape[2]
    items = Items(examples=n, documents=None, freedom={BLOCK: n - 1}, enough=enough)
    return difference([table_of(outcome) for outcome in outcomes], items)


@pytest.mark.parametrize("shape", [(6, 3, 40), (3, 3, 40), (12, 5, 40)])
@pytest.mark.parametrize("noise", NOISES)
def test_a_nominal_95_percent_covers_the_truth(noise, shape):
    rng, trials = np.random.default_rng(len(noise) + shape[0]), 700
    found = [told(drawn(rng, shape, NOISES[noise], truth=2.0)) for _ in range(trials)]
    covered = sum(each.low <= 2.0 <= each.high for each in found) / trials
    assert 0.925 <= covered <= 0.985


def test_pooled_studies_on_different_seeds_cover_too():
    rng, trials, noise = np.random.default_rng(5), 700, NOISES["all of them"]
    covered = 0
    for _ in range(trials):
        shared = 4 * rng.normal(size=(1, 1, 40))
        own = {name: size for name, size in noise.items() if name != "e"}
        found = told(*(drawn(rng, (m, 3, 40), own) + shared for m in (4, 6)))
        covered += found.low <= 0 <= found.high
    assert 0.925 <= covered / trials <= 0.985


def test_the_detectable_difference_is_found_in_80_percent_of_studies():
    rng, trials = np.random.default_rng(1), 1500
    truth = detectable(1 / math.sqrt(6), 5)  # six mixtures of deviation 1, all else without noise
    found = [told(drawn(rng, (6, 3, 20), {"m": 1}, truth=truth)) for _ in range(trials)]
    assert sum(each.low > 0 for each in found) / trials == pytest.approx(0.8, abs=0.03)


def test_the_detectable_difference_of_many_degrees_of_freedom_is_that_of_the_normal():
    assert detectable(1.0, math.inf) == pytest.approx(1.9600 + 0.8416, abs=1e-3)
    assert detectable(1.0, 5000) == pytest.approx(detectable(1.0, math.inf), rel=1e-2)
    assert detectable(2.0, 4) == pytest.approx(2 * detectable(1.0, 4))


tables = st.integers(0, 10_000).map(lambda seed: np.random.default_rng(seed).normal(size=(5, 3, 25)) * 3)


@settings(max_examples=40, deadline=None)
@given(tables, st.floats(-20, 20), st.permutations(range(5)))
def test_sign_shift_and_order_of_mixtures_change_nothing_else(outcome, shift, places):
    found, turned = told(outcome), told(-outcome)
    moved, mixed = told(outcome + shift), told(outcome[list(places)])
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert (moved.low, moved.high) == pytest.approx((found.low + shift, found.high + shift))
    assert (mixed.value, mixed.error, mixed.df) == pytest.approx((found.value, found.error, found.df))


@settings(max_examples=40, deadline=None)
@given(tables)
def test_the_error_is_never_below_that_of_the_mixtures_means(outcome):
    found, means = told(outcome), outcome.mean(axis=(1, 2))
    assert found.error >= means.std(ddof=1) / math.sqrt(5) - 1e-12
    assert found.error**2 == pytest.approx(found.mixture_error**2 + found.seed_error**2 + found.example_error**2)


def test_every_mixture_weighs_the_same_however_studies_share_them():
    rng = np.random.default_rng(2)
    outcome = rng.normal(size=(6, 3, 30))
    independent_examples = told(outcome[:2], outcome[2:])
    assert independent_examples.value == pytest.approx(told(outcome).value) == pytest.approx(outcome.mean())


@pytest.mark.parametrize(("shape", "enough"), [((2, 3, 40), True), ((6, 2, 40), True), ((6, 3, 40), False)])
def test_too_few_of_anything_claim_no_interval(shape, enough):
    found = told(drawn(np.random.default_rng(3), shape, NOISES["all of them"]), enough=enough)
    assert found.low is found.high is found.detectable is None
    assert found.finding() == "no interval"


def test_studies_of_different_examples_are_refused():
    outcome, items = np.ones((3, 3, 30)), Items(examples=30, documents=None, freedom={("nli", 31, False): 30}, enough=True)
    with pytest.raises(BadInput, match="different numbers of examples"):
        difference([table_of(outcome)], items)
    with pytest.raises(BadInput, match="no mixture"):
        difference([], items)
