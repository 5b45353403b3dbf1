"""The bend of the score scale: it keeps order, comes back, and leaves straight scales alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.search.surrogate.multitask_gp import surrogate_over
from tasksearch.search.surrogate.warping import POWERS, Warp

SCORES = st.lists(st.floats(-50, 50), min_size=3, max_size=12).map(lambda found: np.array(found)[:, np.newaxis])


def mixes(rng, count):
    names = [f"t{i}" for i in range(6)]
    found = set()
    while len(found) < count:
        chosen = rng.permutation(names)[: rng.integers(2, 6)]
        found.add(Schedule.joint(Mixture.of({name: int(rng.integers(1, 9)) for name in chosen}), 96))
    return sorted(found, key=str)


@given(SCORES, st.sampled_from(POWERS))
def test_a_bend_keeps_the_order_and_comes_back(scores, power):
    warp = Warp.of(scores, power)
    bent = warp.forward(scores)
    order = np.argsort(scores[:, 0], kind="stable")
    assert (np.diff(bent[order, 0]) >= -1e-9).all()
    back, deviation = warp.back(bent, np.zeros_like(bent))
    assert np.allclose(back, scores, atol=1e-6 * (1 + np.abs(scores).max()))
    assert np.allclose(deviation, 0.0, atol=1e-6)


@pytest.mark.parametrize("power", POWERS)
def test_the_log_slope_is_that_of_the_bend(power):
    scores = np.random.default_rng(3).normal(2.0, 5.0, size=(9, 2))
    warp, step = Warp.of(scores, power), 1e-6
    slopes = (warp.forward(scores + step) - warp.forward(scores - step)) / (2 * step)
    assert np.allclose(warp.log_slope(scores), np.log(slopes).sum(axis=0), atol=1e-4)


@pytest.mark.parametrize("power", POWERS)
def test_the_way_back_takes_the_whole_normal_along(power):
    scores = np.random.default_rng(4).normal(size=(40, 1))
    warp, rng = Warp.of(scores, power), np.random.default_rng(5)
    mean, deviation = np.array([[0.2]]), np.array([[0.15]])
    drawn = mean + deviation * rng.normal(size=(20_000, 1))
    many, _ = warp.back(drawn, np.zeros_like(drawn))
    found, spread = warp.back(mean, deviation)
    assert abs(float(found[0, 0]) - many.mean()) < 0.01
    assert abs(float(spread[0, 0]) - many.std()) < 0.01


def test_a_straight_noisy_scale_is_left_alone():
    rng = np.random.default_rng(6)
    chosen = mixes(rng, 48)
    shares = np.array([[float(mix.share(f"t{i}")) for i in range(6)] for mix in chosen])
    scores = shares**0.5 @ rng.normal(size=(6, 5)) + 0.3 * rng.normal(size=(48, 5))
    assert (surrogate_over(chosen).warp(scores).powers == 1).all()


def test_a_scale_that_is_bent_is_straightened_and_the_best_mixes_are_told_apart():
    rng = np.random.default_rng(7)
    chosen = mixes(rng, 96)
    shares = np.array([[float(mix.share(f"t{i}")) for i in range(6)] for mix in chosen])
    scores = -np.exp(-1.2 * shares**0.5 @ np.abs(rng.normal(size=(6, 5))) * 2)
    shown, held = chosen[:48], chosen[48:]
    surrogate = surrogate_over(shown)
    assert (surrogate.warp(scores[:48]).powers > 1).mean() > 0.5
    guess = surrogate.elsewhere(held, scores[:48])
    ranks = [np.corrcoef(guess[:, j].argsort().argsort(), scores[48:, j].argsort().argsort())[0, 1] for j in range(5)]
    assert np.mean(ranks) > 0.9


def test_elsewhere_agrees_with_the_posterior_where_something_was_trained_without_noise():
    rng = np.random.default_rng(8)
    chosen = mixes(rng, 40)
    shares = np.array([[float(mix.share(f"t{i}")) for i in range(6)] for mix in chosen])
    scores = shares**0.5 @ rng.normal(size=(6, 3))
    surrogate = surrogate_over(chosen)
    assert np.corrcoef(surrogate.elsewhere(chosen, scores)[:, 0], surrogate.posterior(scores).mean[:, 0])[0, 1] > 0.999
