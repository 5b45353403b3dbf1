"""The interval keeps its promise on simulated studies, and agrees with scipy where scipy has the case."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tasksearch.analysis.estimates import CandidateOutcomes, estimate, linearised, score_of
from tasksearch.core.errors import BadInput
from tasksearch.results.estimate import finding_of

CELL = ("nli", "sw")
ONE = {CELL: 1.0}
STUDIES = 2000


def arm(*seeds, cell=CELL, **options):
    return CandidateOutcomes(seeds=tuple({cell: np.asarray(seed, dtype=float)} for seed in seeds), **options)


def right_or_wrong(values):
    return np.stack([values, np.ones(len(values))], axis=1)


def correct(*values):
    return right_or_wrong(np.asarray(values, dtype=float))


def test_a_score_is_a_ratio_of_sums():
    assert score_of(correct(1, 0, 1, 1)) == 75.0
    assert score_of(np.array([[2.0, 3.0], [0.0, 1.0]])) == 50.0  # F1 with tp 1, predicted + gold 4


def test_nothing_to_find_scores_zero_and_nothing_pulls():
    nothing = np.zeros((4, 2))
    assert score_of(nothing) == 0.0
    assert not linearised(nothing).any()


@pytest.mark.parametrize("bad", [np.zeros((0, 2)), np.zeros(3), np.zeros((3, 3)), np.array([[np.nan, 1.0]])])
def test_outcomes_of_another_shape_or_not_finite_are_refused(bad):
    with pytest.raises(BadInput):
        score_of(bad)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=2, max_size=40))
def test_pulls_sum_to_zero_and_give_the_jackknife_to_first_order(pairs):
    data = np.array([(min(a, b), b) for a, b in pairs], dtype=float)
    influence = linearised(data)
    assert abs(influence.sum()) < 1e-6
    nudged = data.copy()
    nudged *= 1 + 1e-6 * (np.arange(len(data)) == 0)[:, None]  # weigh the first example a little more
    assert score_of(nudged) - score_of(data) == pytest.approx(1e-6 * influence[0] / len(data), abs=1e-9)


def test_without_seed_variance_it_is_scipys_paired_t_test():
    rng = np.random.default_rng(0)
    a, b = correct(*rng.integers(0, 2, 60)), correct(*rng.integers(0, 2, 60))
    fixed = frozenset({"nli"})
    ours = estimate(arm(a, fixed=fixed), ONE, minus=arm(b, fixed=fixed))
    theirs = stats.ttest_rel(100 * a[:, 0], 100 * b[:, 0]).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.df == pytest.approx(59)
    assert ours.noise_df == 0


def test_without_example_variance_it_is_scipys_two_sample_t_test():
    level = lambda share: np.tile([share, 1.0], (50, 1))  # noqa: E731
    a, b = [0.61, 0.60, 0.62], [0.52, 0.50, 0.51]  # equal spreads: the pool and each plan's own agree
    ours = estimate(arm(*map(level, a)), ONE, minus=arm(*map(level, b)))
    theirs = stats.ttest_ind(100 * np.array(a), 100 * np.array(b)).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.df == pytest.approx(4)


def test_the_variance_of_f1_is_the_delta_methods():
    rng = np.random.default_rng(1)
    tp = rng.integers(0, 4, 4000)
    data = np.stack([2.0 * tp, 2.0 * tp + rng.integers(0, 3, 4000)], axis=1)
    picks = rng.integers(0, 4000, (400, 4000))
    boot = [score_of(data[rows]) for rows in picks]
    assert estimate(arm(data, fixed=frozenset({"nli"})), ONE).example_error == pytest.approx(np.std(boot), rel=0.1)


def test_a_plan_that_needs_no_training_has_no_seed_variance_and_is_not_pooled_in():
    rng = np.random.default_rng(2)
    same = correct(*rng.integers(0, 2, 100))
    seeds = [correct(*rng.integers(0, 2, 100)) for _ in range(3)]
    still = arm(same, same, same, same, same, fixed=frozenset({"nli"}))
    ours = estimate(arm(*seeds), ONE, minus=still)
    spread = np.var([score_of(seed) for seed in seeds], ddof=1)
    assert ours.seed_error == pytest.approx(math.sqrt(spread / 3))
    assert ours.noise_df == 2


def test_other_plans_lend_their_degrees_of_freedom_but_never_shrink_a_plans_own_spread():
    wide, calm = [0.4, 0.5, 0.6], [0.50, 0.51, 0.52]
    level = lambda share: np.tile([share, 1.0], (50, 1))  # noqa: E731
    first, second, third = arm(*map(level, calm)), arm(*map(level, calm)), arm(*map(level, wide))
    assert estimate(first, ONE, pool=[second]).noise_df == 4
    assert estimate(third, ONE, pool=[first, second]).seed_error == pytest.approx(10 / math.sqrt(3))
    assert estimate(third, ONE, pool=[first, second]).df < 3, "its own two degrees of freedom decide, not all six"


def test_targets_that_share_a_training_bring_no_further_seed():
    rng = np.random.default_rng(3)

    def trained(seeds, targets):
        runs = [rng.random(400) < 0.6 + 0.03 * rng.normal() for _ in range(seeds)]
        return CandidateOutcomes(seeds=tuple({(t, "sw"): right_or_wrong(1.0 * run) for t in targets} for run in runs))

    def found(targets):
        nonlocal rng
        rng = np.random.default_rng(3)
        mix, bare = trained(3, targets), trained(4, targets)
        return estimate(mix, {(t, "sw"): 1 / len(targets) for t in targets}, minus=bare)

    one, both = found(["xquad"]), found(["xquad", "mlqa"])
    assert (both.noise_df, both.value) == (one.noise_df, pytest.approx(one.value)) and one.noise_df == 5
    assert both.seed_error == pytest.approx(one.seed_error)


def test_with_two_seeds_behind_the_noise_no_interval_is_claimed():
    rng = np.random.default_rng(3)
    two = arm(*(correct(*rng.integers(0, 2, 50)) for _ in range(2)))
    three = arm(*(correct(*rng.integers(0, 2, 50)) for _ in range(3)))
    assert estimate(two, ONE).low is None
    assert finding_of(estimate(two, ONE)) == "no interval"
    assert estimate(two, ONE, pool=[three]).low is not None


def test_with_a_handful_of_examples_no_interval_is_claimed():
    seeds = [correct(1, 0, 1), correct(0, 0, 1), correct(1, 1, 1)]
    assert estimate(arm(*seeds), ONE).low is None


def test_parallel_items_are_not_counted_as_independent():
    rng = np.random.default_rng(4)
    item = rng.integers(0, 2, 200)
    cells = {("nli", "sw"): correct(*item), ("nli", "qu"): correct(*item)}
    half = dict.fromkeys(cells, 0.5)
    both = estimate(CandidateOutcomes(seeds=(cells,), fixed=frozenset({"nli"})), half)
    single = estimate(arm(correct(*item), fixed=frozenset({"nli"})), ONE)
    assert both.example_error == pytest.approx(single.example_error)
    apart = {("nli", "sw"): correct(*item), ("qa", "sw"): correct(*item)}
    other = estimate(CandidateOutcomes(seeds=(apart,), fixed=frozenset({"nli", "qa"})), dict.fromkeys(apart, 0.5))
    assert other.example_error == pytest.approx(single.example_error / math.sqrt(2))


def test_plans_scored_on_different_examples_are_not_compared():
    with pytest.raises(BadInput, match="same number of examples"):
        estimate(arm(correct(*[1] * 30)), ONE, minus=arm(correct(*[1] * 29)))


def test_a_missing_cell_is_named():
    with pytest.raises(BadInput, match="'qu'"):
        estimate(arm(correct(*[1] * 30)), {("nli", "qu"): 1.0})


def gaussian_study(rng, *, seeds, spreads, languages=("sw",), n=80, item=0.3, plan_item=0.15, residual=0.25, seed=0.02):
    """Outcomes of four plans of equal true score; items (and plan × item) shared by the languages to one half."""
    mixed = lambda: {k: math.sqrt(0.5) * (common + v) for common in [rng.normal(size=n)] for k, v in draws()}  # noqa: E731
    draws = lambda: [(k, rng.normal(size=n)) for k in languages]  # noqa: E731
    items, arms = mixed(), []
    for count, spread in zip(seeds, spreads, strict=True):
        pull = mixed()
        trained = []
        for _ in range(count):
            luck = seed * spread * rng.normal()
            score = {k: 0.5 + luck + item * items[k] + plan_item * pull[k] + residual * rng.normal(size=n) for k in languages}
            trained.append({("nli", k): np.stack([v, np.ones(n)], axis=1) for k, v in score.items()})
        arms.append(CandidateOutcomes(seeds=tuple(trained)))
    return arms


def coverage(studies, weights, truth=0.0):
    hits = 0
    for arms in studies:
        found = estimate(arms[0], weights, minus=arms[1], pool=arms)
        hits += found.low <= truth <= found.high
    return hits / STUDIES


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [
        pytest.param({}, 0.93, 0.975, id="as usual"),
        pytest.param({"seed": 0.08}, 0.94, 0.98, id="seeds dominate", marks=pytest.mark.long),
        pytest.param({"seed": 0.0, "residual": 0.1}, 0.93, 0.975, id="examples dominate", marks=pytest.mark.long),
        pytest.param({"languages": ("sw", "qu", "my")}, 0.93, 0.975, id="several languages"),
        pytest.param({"seed": 0.08, "spreads": (3, 1, 1, 1)}, 0.92, 0.975, id="the plan is noisier"),
        pytest.param({"seeds": (3, 5, 2, 2)}, 0.93, 0.975, id="fewer seeds", marks=pytest.mark.long),
    ],
)
def test_a_nominal_95_percent_interval_covers_the_truth(options, low, high):
    rng = np.random.default_rng(7)
    options = {"seeds": (3, 5, 3, 3), "spreads": (1, 1, 1, 1)} | options
    languages = options.get("languages", ("sw",))
    weights = {("nli", language): 1 / len(languages) for language in languages}
    assert low <= coverage((gaussian_study(rng, **options) for _ in range(STUDIES)), weights) <= high


def test_it_covers_for_right_and_wrong_answers_too():
    """A probit model with a true gain: P(correct) = Φ(level / sd of everything random)."""
    rng = np.random.default_rng(8)
    levels, n, seed_sd = (0.5, 0.2), 100, 0.15
    total = math.sqrt(seed_sd**2 + 1.0 + 0.3**2 + 0.5**2)

    def study():
        items = rng.normal(size=n)
        arms = []
        for level, count in ((levels[0], 3), (levels[1], 5), (levels[0], 3), (levels[1], 3)):
            plan = items + 0.3 * rng.normal(size=n)
            latents = [level + seed_sd * rng.normal() + plan + 0.5 * rng.normal(size=n) for _ in range(count)]
            arms.append(arm(*(right_or_wrong(latent > 0) for latent in latents)))
        return arms

    truth = 100 * float(stats.norm.cdf(levels[0] / total) - stats.norm.cdf(levels[1] / total))
    assert 0.93 <= coverage((study() for _ in range(STUDIES)), ONE, truth) <= 0.975


def test_the_interval_of_a_score_is_cut_at_the_ends_of_its_scale_and_that_of_a_difference_is_not():
    nearly, hardly = correct(*[1] * 59, 0), correct(*[0] * 59, 1)
    high, low = (estimate(arm(one, one, one[::-1]), ONE) for one in (nearly, hardly))
    assert high.high == 100.0 and high.low < high.value < 100
    assert low.low == 0.0 and 0 < low.value < low.high
    gap = estimate(arm(nearly, nearly, nearly[::-1]), ONE, minus=arm(hardly, hardly, hardly[::-1]))
    assert gap.high > 100
    twice = estimate(arm(nearly, nearly, nearly[::-1]), {CELL: 2.0})
    assert twice.high > 100, "a sum of scores has another scale"


def test_averages_over_the_same_seeds_say_nothing_of_how_much_trainings_differ():
    rng = np.random.default_rng(3)
    base, other = ([right_or_wrong(rng.random(400) < p) for p in (0.5, 0.6, 0.55, 0.65)] for _ in range(2))
    models = [right_or_wrong(rng.random(400) < 0.6)] * 3
    bare, mix = (arm(*seeds, numbers=(0, 1, 2, 3)) for seeds in (base, other))
    independent, dependent = (
        estimate(arm(*models, numbers=(1, 2, 3), dependent=told), ONE, minus=bare, pool=[bare, mix]) for told in (False, True)
    )
    assert dependent.seed_error > independent.seed_error and dependent.noise_df == independent.noise_df - 2
    assert dependent.seeds == 3
