"""Distances between languages as a prior: they count where languages near each other gain alike, and else do nothing."""

import numpy as np
import pytest

from tasksearch.analysis.languages.distances import combined_distances
from tasksearch.bench.simulate import proposed, searched, space_of
from tasksearch.bench.skill_worlds import TUNED
from tasksearch.search.candidate_mixes import random_mixes
from tasksearch.search.gain_table import GainTable, language_columns
from tasksearch.search.objective import Baseline
from tasksearch.search.surrogate.alike_columns import alike_columns, own_parts
from tasksearch.search.surrogate.multitask_gp import surrogate_over
from tasksearch.search.surrogate.prediction import FittedSurrogate

CODES = ("ha", "ig", "yo", "hi", "te", "th")
FAMILY = np.array([0, 0, 0, 1, 1, 1])


def distances(family, codes=CODES):
    return {(a, b): float(family[i] != family[j]) for i, a in enumerate(codes) for j, b in enumerate(codes) if i < j}


def gains(rng, family, mixes=60, shared=True):
    own = rng.normal(size=(mixes, 2))[:, family] if shared else rng.normal(size=(mixes, len(family)))
    left = own + 0.3 * rng.normal(size=own.shape)
    return left - left.mean(axis=1, keepdims=True)


def correlation(found):
    root = np.sqrt(np.diag(found))
    return found / np.outer(root, root)


def test_near_languages_are_more_alike_and_every_width_is_a_covariance():
    found = alike_columns(CODES, distances(FAMILY))
    assert len(found) == 3
    for close in found:
        assert np.allclose(np.diag(close), 1) and np.linalg.eigvalsh(close).min() > -1e-9
        assert close[0, 1] > close[0, 3]
    missing = {pair: apart for pair, apart in distances(FAMILY).items() if "th" not in pair}
    assert alike_columns(CODES, missing)[0][5, 4] == pytest.approx(found[0][0, 3], abs=0.2)  # counts as the largest


def test_a_language_of_no_table_takes_the_prior_from_no_other():
    names = ["ha", "ig", "yo", "hi", "te"]
    known = combined_distances([*names, "near1"], uriel=False)
    above = np.triu_indices(5, 1)
    for whole, part in zip(alike_columns(names, known), alike_columns([*names, "near1"], known), strict=True):
        assert np.corrcoef(whole[above], part[:5, :5][above])[0, 1] > 0.99
        assert part[5, :5].max() < part[:5, :5].min() + 0.01, "as far from each as the farthest"


@pytest.mark.parametrize("told", (None, {}, dict.fromkeys(distances(FAMILY), 0.7), dict.fromkeys(distances(FAMILY), 0.0)))
def test_without_distances_that_differ_there_is_no_prior(told):
    assert alike_columns(CODES, told) == ()
    assert alike_columns(CODES[:2], distances(FAMILY)) == ()


def test_distances_count_as_far_as_the_trials_bear_them_out():
    rng, values, alike = np.random.default_rng(0), np.ones(60), alike_columns(CODES, distances(FAMILY))
    true = correlation(own_parts(gains(rng, FAMILY), values, 1.0, 0.09, alike))
    alone = correlation(own_parts(gains(rng, FAMILY, shared=False), values, 1.0, 0.09, alike))
    other = correlation(own_parts(gains(rng, FAMILY[[0, 3, 1, 4, 2, 5]]), values, 1.0, 0.09, alike))
    assert true[0, 1] - true[0, 3] > 0.5
    assert abs(alone[0, 1] - alone[0, 3]) < 0.1 and abs(other[0, 1] - other[0, 3]) < 0.1
    contrasts = np.eye(6) - 1 / 6
    found = own_parts(gains(rng, FAMILY), values, 1.0, 0.09, alike)
    assert np.trace(contrasts @ found) == pytest.approx(5, rel=1e-6)


def missed(world, table, columns, prior):
    """One minus the correlation of predicted and true gains of untrained mixes, mean over languages."""
    mixes = random_mixes(space_of(world), np.random.default_rng(world.seed), 200)
    surrogate = surrogate_over([first.plan.schedule for first in table.firsts], world.tasks)
    fitted = FittedSurrogate.of(surrogate, *table.weighted(list(columns.values())), prior)
    mean = fitted.predict(mixes.arrays(space_of(world), surrogate.tasks)).mean
    true = world.gains_of(mixes.arrays(space_of(world)))[:, [world.languages.index(language) for language in columns]]
    return 1 - np.mean([np.corrcoef(mean[:, column], true[:, column])[0, 1] for column in range(true.shape[1])])


def test_where_families_gain_alike_mixes_are_foretold_better_for_knowing_them():
    ratios = []
    for number in range(4):
        world = TUNED["families"].draw(number)
        records = searched(world, proposed(world, 16, number)).records
        table = GainTable.of(records, Baseline.of(records))
        columns = language_columns(table.cells, dict.fromkeys(table.cells, 1.0))
        alike = np.corrcoef(world.parts["own"][:, [world.languages.index(language) for language in columns]].T)
        told = {(a, b): 1 - alike[i, j] for i, a in enumerate(columns) for j, b in enumerate(columns) if i < j}
        ratios.append(missed(world, table, columns, alike_columns(list(columns), told)) / missed(world, table, columns, ()))
    assert np.mean(ratios) < 0.95
