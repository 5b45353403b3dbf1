"""Examples of one document are one draw: intervals over documents keep their promise where those over examples do not."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tasksearch.analysis.clustering import Documents, correction, freedom
from tasksearch.analysis.estimates import CandidateOutcomes, estimate
from tasksearch.core.errors import BadInput

CELL = ("qa", "sw")
ONE = {CELL: 1.0}
FIXED = frozenset({"qa"})
SIZES = np.array([1, 8, 3, 5, 2, 7, 4, 6, 2, 9, 3, 1, 5, 6, 4, 2, 8, 3, 1, 7, 4, 5, 2, 6])
"""Questions of 24 articles, as many as the reporting half of XQuAD has."""


def correct(values):
    values = np.asarray(values, dtype=float)
    return np.stack([values, np.ones(len(values))], axis=1)


def arm(*seeds, documents=None, cell=CELL, fixed=frozenset()):
    known = None if documents is None else Documents({cell: np.asarray(documents)})
    return CandidateOutcomes(seeds=tuple({cell: correct(seed)} for seed in seeds), documents=known, fixed=fixed)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(20, 60), st.integers(1, 3))
def test_one_example_a_document_is_what_independent_examples_were(seed, n, languages):
    rng = np.random.default_rng(seed)
    names = rng.permutation(10_000)[:n]
    cells = {("qa", f"l{i}"): 1 / languages for i in range(languages)} | {("nli", "sw"): 0.5}
    arms = []
    for documents in (None, Documents(dict.fromkeys(cells, names))):
        draw = np.random.default_rng(seed)
        made = [{cell: correct(draw.integers(0, 2, n)) for cell in cells} for _ in range(8)]
        arms.append([CandidateOutcomes(seeds=tuple(part), documents=documents) for part in (made[:3], made[3:])])
    plain, clustered = (estimate(a, cells, minus=b) for a, b in arms)
    for name in ("value", "low", "high", "seed_error", "example_error", "df", "examples", "seeds"):
        assert getattr(clustered, name) == pytest.approx(getattr(plain, name), rel=1e-6, abs=1e-9), name
    assert plain.documents is None
    assert clustered.documents == 2 * n


def test_documents_of_one_size_give_scipys_paired_t_test_of_their_means():
    rng = np.random.default_rng(0)
    documents = np.repeat(np.arange(15), 4)
    a, b = rng.integers(0, 2, 60), rng.integers(0, 2, 60)
    ours = estimate(arm(a, documents=documents, fixed=FIXED), ONE, minus=arm(b, documents=documents, fixed=FIXED))
    means = [100 * each.reshape(15, 4).mean(axis=1) for each in (a, b)]
    theirs = stats.ttest_rel(*means).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.df == pytest.approx(14)


def test_the_same_question_asked_twice_teaches_nothing():
    rng = np.random.default_rng(1)
    seeds = [rng.integers(0, 2, 40) for _ in range(3)]
    once = estimate(arm(*seeds), ONE)
    twice = estimate(arm(*(np.repeat(seed, 2) for seed in seeds), documents=np.repeat(np.arange(40), 2)), ONE)
    blind = estimate(arm(*(np.repeat(seed, 2) for seed in seeds)), ONE)
    assert (twice.low, twice.high, twice.df) == pytest.approx((once.low, once.high, once.df))
    assert blind.example_error < 0.75 * twice.example_error


def test_languages_share_their_documents_whatever_the_number_and_order_of_their_examples():
    rng = np.random.default_rng(2)
    item = rng.integers(0, 2, 60)
    turned = rng.permutation(60)
    names = np.arange(60)
    cells = {("qa", "sw"): item, ("qa", "qu"): item[turned][:50]}
    both = CandidateOutcomes(
        seeds=({cell: correct(values) for cell, values in cells.items()},),
        documents=Documents({("qa", "sw"): names, ("qa", "qu"): names[turned][:50]}),
        fixed=FIXED,
    )
    apart = CandidateOutcomes(
        seeds=both.seeds, documents=Documents({("qa", "sw"): names, ("qa", "qu"): names[:50] + 1000}), fixed=FIXED
    )
    half = dict.fromkeys(cells, 0.5)
    shared, separate = estimate(both, half), estimate(apart, half)
    assert (shared.documents, separate.documents) == (60, 110)
    single = estimate(arm(item, fixed=FIXED), ONE).example_error
    assert shared.example_error == pytest.approx(single, rel=0.05)
    assert separate.example_error == pytest.approx(single / math.sqrt(2), rel=0.1)


def test_an_interval_is_clustered_only_where_every_examples_document_is_known():
    rng = np.random.default_rng(3)
    cells = {("qa", "sw"): correct(rng.integers(0, 2, 40)), ("nli", "sw"): correct(rng.integers(0, 2, 40))}
    known = Documents({("qa", "sw"): np.repeat(np.arange(20), 2)})
    found = estimate(
        CandidateOutcomes(seeds=(cells,), documents=known, fixed=frozenset({"qa", "nli"})), dict.fromkeys(cells, 0.5)
    )
    assert found.documents is None
    assert found.low is not None


def test_with_a_handful_of_documents_no_interval_is_claimed():
    answers = np.tile([0, 1, 1], 20)
    assert estimate(arm(answers, documents=np.repeat(np.arange(9), 7)[:60], fixed=FIXED), ONE).low is None
    assert estimate(arm(answers, documents=np.repeat(np.arange(10), 6), fixed=FIXED), ONE).low is not None


def test_numbers_of_other_examples_are_refused_with_the_way_out():
    with pytest.raises(BadInput, match="qa/sw: document numbers of 29 examples, outcomes of 30"):
        estimate(arm([1, 0, 1] * 10, documents=np.arange(29)), ONE)


def test_few_and_unequal_documents_are_corrected_as_their_covariance_says():
    share = SIZES / SIZES.sum()
    centre = np.eye(len(share)) - share  # a document's mean less the weighted mean of all
    weighted = share[:, None] * centre
    covariance = weighted @ weighted.T
    assert correction(share) == pytest.approx((share**2).sum() / np.trace(covariance))
    assert freedom(share) == pytest.approx(np.trace(covariance) ** 2 / np.trace(covariance @ covariance))
    even = np.full(12, 1 / 12)
    assert (correction(even), freedom(even)) == pytest.approx((12 / 11, 11))
    assert (correction(np.ones(1)), freedom(np.ones(1))) == (1.0, 0.0)


def clustered_studies(rng, studies, *, sizes, alike, seed=0.02):
    """Two plans of equal true score on three and five seeds; a part `alike` of the spread over examples is their document's."""
    index = np.repeat(np.arange(len(sizes)), sizes)
    n = len(index)

    def pull(scale):
        return scale * (math.sqrt(alike) * rng.normal(size=len(sizes))[index] + math.sqrt(1 - alike) * rng.normal(size=n))

    for _ in range(studies):
        items, arms = pull(0.3), []
        for count in (3, 5):
            plan = pull(0.2)
            arms.append([0.5 + seed * rng.normal() + items + plan + pull(0.15) for _ in range(count)])
        yield index, arms


@pytest.mark.parametrize("alike", [0.0, 0.4])
def test_clustered_intervals_cover_the_truth_and_unclustered_ones_do_not_where_documents_matter(alike):
    rng, hits, blind, studies = np.random.default_rng(9), 0, 0, 1500
    for index, (first, second) in clustered_studies(rng, studies, sizes=SIZES, alike=alike):
        found = estimate(arm(*first, documents=index), ONE, minus=arm(*second, documents=index))
        plain = estimate(arm(*first), ONE, minus=arm(*second))
        hits += found.low <= 0 <= found.high
        blind += plain.low <= 0 <= plain.high
    assert 0.93 <= hits / studies <= 0.985
    assert (blind / studies < 0.88) == (alike > 0)


@pytest.mark.long
@pytest.mark.parametrize(("documents", "alike"), [(10, 0.4), (10, 1.0), (48, 0.4), (48, 1.0)])
def test_clustered_intervals_cover_with_few_and_many_documents(documents, alike):
    rng, hits, studies = np.random.default_rng(10), 0, 3000
    sizes = np.resize(SIZES, documents)
    for index, (first, second) in clustered_studies(rng, studies, sizes=sizes, alike=alike):
        found = estimate(arm(*first, documents=index), ONE, minus=arm(*second, documents=index))
        hits += found.low <= 0 <= found.high
    assert 0.935 <= hits / studies <= 0.985
