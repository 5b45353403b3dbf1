import numpy as np
import pytest

from tasksearch.analysis.seed_noise import PRIOR, Trainings, seed_noise


def plan(scores, seeds):
    return Trainings(scores=np.atleast_2d(np.asarray(scores, dtype=float)), seeds=tuple(seeds))


def test_luck_that_two_plans_share_cancels_where_they_are_trained_on_the_same_seeds():
    luck = np.array([0.0, 3.0, -2.0, 4.0, -5.0])
    noise = seed_noise([plan(luck + level, range(5)) for level in (0, 7, 3)])
    seeds = [tuple(range(5))] * 2
    assert noise.shared > 0.85 and noise.own == pytest.approx(0)
    assert sum(part for part, _ in noise.variance(noise.weigh(seeds), seeds, (0, 1))) == pytest.approx(0)


def test_weights_sum_to_one_and_minus_one_and_lean_on_common_seeds():
    luck = np.array([0.0, 3.0, -2.0, 4.0, -5.0])
    rng = np.random.default_rng(0)
    rows = np.stack([luck + 0.5 * rng.normal(size=5) for _ in range(4)])
    noise = seed_noise([plan(rows, range(5)), plan(rows[:, :2] + 0.3 * rng.normal(size=(4, 2)), range(2))])
    mix, bare = noise.weigh([(0, 1), tuple(range(5))])
    assert mix.sum() == pytest.approx(1) and bare.sum() == pytest.approx(-1)
    assert -bare[0] > 0.2 > -bare[4] > 0


def test_seeds_of_unknown_number_make_a_plain_difference_of_means():
    noise = seed_noise([plan([1, 2, 3], "abc"), plan([4, 6, 8], "def")])
    assert noise.shared == 0 and noise.total == noise.own == pytest.approx((2 + 8) / 4)
    assert [part.tolist() for part in noise.weigh(["abc", "def"])] == [[1 / 3] * 3, [-1 / 3] * 3]


def test_rows_of_a_kind_are_averaged_and_a_row_alone_is_not():
    calm, wide = np.array([1.0, -1.0, 0.0]), np.array([10.0, -10.0, 0.0])
    alone = seed_noise([plan(calm, "abc")])
    both = seed_noise([plan([calm, wide], "abc")])
    assert (alone.total, alone.total_df) == (1, 2)
    assert both.total == pytest.approx((PRIOR * 50.5 + 2 * 1) / (PRIOR + 2)) and both.total_df == PRIOR + 2


def test_a_noisier_plan_is_scaled_up_and_a_calmer_one_never_down():
    rows = np.array([[1.0, -1.0, 0.0]] * 3)
    noise = seed_noise([plan(3 * rows, "abc"), plan(rows, "abd"), plan(rows, "abe")])
    assert noise.noisier[0][0] > 1.5 and [factor for factor, _ in noise.noisier[1:]] == [1, 1]


def test_one_training_a_plan_says_nothing():
    assert seed_noise([plan([1], "a"), plan([2], "a")]) is None
