"""Bitext mining against brute force, and the cut against every cut there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.evaluation.margins import margin_pairs
from tasksearch.evaluation.mining import Mined, mine
from tasksearch.evaluation.neighbours import both_ways, unit_vectors
from tasksearch.metrics.mining import best_cut, mining_scores


def scores_at_the_best_cut(chosen_on, chosen_gold, mined, gold):
    """F1, precision and recall of `mined` at the best cut of another set."""
    right = [np.array([pair in wanted for pair in found.ids]) for found, wanted in ((chosen_on, chosen_gold), (mined, gold))]
    cut = best_cut(chosen_on.scores, right[0], len(set(chosen_gold)))
    return mining_scores(mined.scores, right[1], len(set(gold)), cut) | {"threshold": cut}


def brute_force(x, y, k):
    """The definition, sentence by sentence, in double precision."""
    x, y = (unit_vectors(side, centering=False).astype(np.float64) for side in (x, y))
    cosine = x @ y.T
    k_y, k_x = min(k, len(y)), min(k, len(x))
    mean_x = np.sort(cosine, axis=1)[:, -k_y:].mean(axis=1)
    mean_y = np.sort(cosine, axis=0)[-k_x:].mean(axis=0)
    margin = cosine / ((mean_x[:, None] + mean_y[None, :]) / 2)
    proposals = []
    for i in range(len(x)):
        near = np.argsort(-cosine[i])[:k_y]
        proposals.append(max((margin[i, j], i, j) for j in near))
    for j in range(len(y)):
        near = np.argsort(-cosine[:, j])[:k_x]
        proposals.append(max((margin[i, j], i, j) for i in near))
    found, seen_x, seen_y = [], set(), set()
    for score, i, j in sorted(proposals, key=lambda p: -p[0]):
        if i not in seen_x and j not in seen_y:
            seen_x.add(i)
            seen_y.add(j)
            if score > 0:
                found.append((score, i, j))
    return found


@given(st.integers(0, 1000), st.integers(1, 25), st.integers(1, 25))
def test_mining_finds_what_brute_force_finds(seed, foreign, english):
    rng = np.random.default_rng(seed)
    # A common direction, as sentence vectors have it: cosines near zero would make the margin's divisor vanish.
    x, y = (rng.normal(size=(n, 8)).astype(np.float32) + np.float32(1.0) for n in (foreign, english))
    pairs, scores = margin_pairs(*both_ways(x, y, 4))
    pairs, scores = pairs[scores > 0], scores[scores > 0]
    expected = brute_force(x, y, 4)
    assert np.allclose(scores, [score for score, _, _ in expected], atol=1e-4)
    assert {tuple(pair) for pair in pairs.tolist()} == {(i, j) for _, i, j in expected}


def test_translations_are_found_among_distractors_and_a_repeated_sentence_is_never_a_candidate():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 16)).astype(np.float32)
    y = np.concatenate(
        [x[:20] + np.float32(0.05) * rng.normal(size=(20, 16)).astype(np.float32), rng.normal(size=(10, 16)).astype(np.float32)]
    )
    foreign = {f"sw-{i}": f"neno {i}" for i in range(30)} | {"sw-30": "neno 3"}
    english = {f"en-{i}": f"word {i}" for i in range(30)}
    mined = mine(foreign, english, np.concatenate([x, x[3:4]]), y)
    assert set(mined.ids[:19]) == {(f"sw-{i}", f"en-{i}") for i in range(20) if i != 3}
    assert not any(name in ("sw-3", "sw-30") for name, _ in mined.ids)
    gold = [(f"sw-{i}", f"en-{i}") for i in range(20) if i != 3]
    assert scores_at_the_best_cut(mined, gold, mined, gold)["f1"] == 100.0


@given(st.lists(st.tuples(st.sampled_from([0.5, 1.0, 1.1, 1.25, 2.0]), st.booleans()), max_size=12), st.integers(0, 5))
def test_the_cut_is_the_best_of_all_that_exist(candidates, missed):
    scores, right = np.array([s for s, _ in candidates]), np.array([r for _, r in candidates], dtype=bool)
    gold = int(right.sum()) + missed
    cut = best_cut(scores, right, gold)
    every = [mining_scores(scores, right, gold, at)["f1"] for at in (*scores, np.inf)]
    assert mining_scores(scores, right, gold, cut)["f1"] == pytest.approx(max(every))


def test_the_cut_is_halfway_to_the_next_candidate_and_the_last_candidate_may_be_the_best():
    scores = np.array([2.0, 1.5, 1.0])
    assert best_cut(scores, np.array([True, False, False]), 1) == 1.75
    assert best_cut(scores, np.array([False, False, True]), 3) == 1.0  # bucc_optimize: IndexError
    assert best_cut(scores, np.array([False, False, False]), 3) == np.inf


def test_a_cut_fitted_on_one_set_is_applied_to_another():
    dev = Mined(ids=(("a", "b"), ("c", "d")), scores=np.array([1.4, 1.0]))
    test = Mined(ids=(("e", "f"), ("g", "h"), ("i", "j")), scores=np.array([1.3, 1.1, 1.21]))
    found = scores_at_the_best_cut(dev, [("a", "b")], test, [("e", "f"), ("g", "h")])
    assert found == {"f1": 50.0, "precision": 50.0, "recall": 50.0, "threshold": pytest.approx(1.2)}


@pytest.mark.parametrize(("higher", "lower"), [
    (np.nextafter(1.0, 2.0), 1.0), (1.0, np.nextafter(1.0, 0.0)), (5e-324, 0.0), (1.7e308, 1.6e308), (-1.6e308, -1.7e308),
    (1.7e308, -1.7e308), (np.inf, 1.0), (1.0, -np.inf),
])  # fmt: skip
def test_the_cut_parts_two_scores_however_near_or_far_they_are(higher, lower):
    cut = best_cut(np.array([higher, lower]), np.array([True, False]), 1)
    assert lower < cut <= higher
    assert mining_scores(np.array([higher, lower]), np.array([True, False]), 1, cut)["f1"] == 100.0
