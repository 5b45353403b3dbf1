"""The pooled surrogate: it shrinks, it borrows, it never looks where it may not."""

import numpy as np
import pytest

from tasksearch.bench.planted_world import HELD, NULL, TUNE, draw_world
from tasksearch.bench.simulate import proposed, searched
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.search.gain_table import MIN_MIXES, GainTable, language_columns
from tasksearch.search.objective import Baseline
from tasksearch.search.surrogate.features import features
from tasksearch.search.surrogate.multitask_gp import surrogate_over

TASKS = ("ccg", "mnli", "qqp")
SEQUENTIAL = Schedule.sequential([("qqp", 50), ("ccg", 50)])


def table_of(family, number, trials=48):
    world = draw_world(family, number)
    plan = proposed(world, trials, number)
    records = searched(world, plan).records
    return world, [schedule for _, schedule in plan], GainTable.of(records, Baseline.of(records))


def test_the_baseline_is_zero_and_joint_has_no_order():
    rows = features([Schedule.none(), Schedule.joint(Mixture.uniform("ccg", "qqp"), 100), SEQUENTIAL], TASKS)
    assert set(rows) == {"share", "presence", "order", "kind", "pairs", "rate", "before"}
    assert all(not block[0].any() for block in rows.values())
    assert not rows["order"][1].any()
    assert list(rows["order"][2]) == [1.0, 0.0, -1.0]
    assert np.array_equal(rows["share"][1], rows["share"][2])


def test_a_mix_may_stand_only_once():
    with pytest.raises(ValueError, match="twice"):
        surrogate_over([SEQUENTIAL, SEQUENTIAL])


@pytest.mark.parametrize("family", [TUNE, HELD], ids=lambda f: f.name)
def test_shrunken_scores_are_nearer_to_the_truth_than_raw_ones(family):
    raw, shrunken = 0.0, 0.0
    for number in range(4):
        world, mixes, table = table_of(family, number)
        truth = (world.scores(world.gains(mixes)) - world.scores(world.gains([Schedule.none()]))) / 100
        order = [world.languages.index(language) for _, language in table.cells]
        columns = [{cell: 1.0} for cell in table.cells]
        points = table.deviations / 100
        raw += float(np.square(table.gains * points - truth[:, order]).mean())
        shrunken += float(np.square(table.shrunken(columns).mean * points - truth[:, order]).mean())
    assert shrunken < 0.6 * raw


def test_where_nothing_has_an_effect_nothing_is_left_of_the_winners():
    _, _, table = table_of(NULL, 1, trials=96)
    columns = list(language_columns(table.cells, dict.fromkeys(table.cells, 1.0)).values())
    raw, posterior = table.gains.max(axis=0).mean(), table.shrunken(columns).mean.max(axis=0).mean()
    assert posterior < 0.35 * raw


def test_the_order_of_the_mixes_changes_nothing():
    _, mixes, table = table_of(TUNE, 2, trials=24)
    there = surrogate_over(mixes).posterior(table.gains, table.seeds)
    back = surrogate_over(mixes[::-1]).posterior(table.gains[::-1], table.seeds)
    assert np.allclose(there.mean, back.mean[::-1], atol=1e-6)
    assert np.allclose(there.deviation, back.deviation[::-1], atol=1e-6)


def test_scores_in_another_unit_give_the_same_word_in_that_unit():
    _, mixes, table = table_of(TUNE, 3, trials=24)
    once, thrice = (surrogate_over(mixes).posterior(scale * table.gains, scale * table.seeds) for scale in (1.0, 3.0))
    assert np.allclose(3 * once.mean, thrice.mean, atol=1e-6)


def test_too_few_mixes_are_taken_as_they_are():
    _, _, table = table_of(TUNE, 4, trials=MIN_MIXES - 1)
    assert np.array_equal(table.shrunken([{table.cells[0]: 1.0}]).mean[:, 0], table.gains[:, 0])


@pytest.mark.parametrize("family", [TUNE, NULL], ids=lambda f: f.name)
def test_many_columns_read_apart_are_what_each_is_alone(family):
    _, _, table = table_of(family, 5)
    columns = [{cell: 1.0 for cell in table.cells if cell != left_out} for left_out in table.cells]
    columns += [{cell: 1.0} for cell in table.cells]
    together, alone = table.shrunken_each(columns), [table.shrunken([column]) for column in columns]
    assert np.allclose(together.mean, np.hstack([one.mean for one in alone]), rtol=1e-6, atol=1e-7)
    assert np.allclose(together.deviation, np.hstack([one.deviation for one in alone]), rtol=1e-6)
    pooled = table.shrunken(columns)  # columns that borrow from each other are another reading
    assert not np.allclose(together.mean, pooled.mean, rtol=1e-3)
