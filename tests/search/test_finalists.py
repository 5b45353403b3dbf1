"""Leaders: chosen on shrunken scores, for every language, with a free baseline among them; a pure function of what was told."""

import dataclasses

import numpy as np
import pytest

from tasksearch.bench.planted_world import TUNE, draw_world
from tasksearch.bench.simulate import proposed, searched, space_of
from tasksearch.core.study import Objective
from tasksearch.search.finalists import choose_finalists
from tasksearch.search.objective import Baseline, objective

GROUPS = {"target": "classification"}


def chosen(config, records):
    """Records of the finalists, the best for all languages first."""
    return [one.record for one in choose_finalists(config, records)]


def study(number, trials=40):
    world = draw_world(TUNE, number)
    records = searched(world, proposed(world, trials, number)).records
    baseline = Baseline.of(records)
    judged = [dataclasses.replace(r, objective=objective(r.scores, baseline, GROUPS, Objective())) for r in records]
    return world, judged


@pytest.fixture(scope="module")
def world_and_records():
    return study(0)


def config_of(toy, world, **changes):
    return toy.config(space=space_of(world), targets=("target",), languages=world.languages, baseline_seeds=5, **changes)


def test_as_many_as_asked_for_each_once_and_one_of_them_designed(toy, world_and_records):
    world, records = world_and_records
    for count in (1, 2, 3, 5):
        found = chosen(config_of(toy, world, leaders=count), records)
        assert len({r.number for r in found}) == count
        assert count == 1 or any(r.role == "design" for r in found)
        assert all(r.role in ("design", "search") for r in found)


def test_they_do_not_depend_on_the_order_of_the_records(toy, world_and_records):
    world, records = world_and_records
    config = config_of(toy, world, leaders=4)
    assert chosen(config, records) == chosen(config, records[::-1])


def test_reporting_halves_and_finalists_are_not_looked_at(toy, world_and_records):
    world, records = world_and_records
    config = config_of(toy, world, leaders=4)
    hidden = [dataclasses.replace(r, scores=type(r.scores).of(s for s in r.scores if s.half == "select")) for r in records]
    again = dataclasses.replace(records[-1], number=len(records), role="finalist")
    assert [r.number for r in chosen(config, [*hidden, again])] == [r.number for r in chosen(config, records)]


def test_nothing_that_will_be_said_of_a_leader_stands_twice(toy):
    rows = [
        leader.rows
        for number in range(4)
        for leader in choose_finalists(config_of(toy, study(number)[0], leaders=4), study(number)[1])
    ]
    assert any(len(each) == 1 for each in rows) and any(len(each) > 2 for each in rows)
    for each in rows:
        cells = [tuple(sorted(row)) for row in each]
        assert len(set(cells)) == len(cells)


def test_three_leaders_serve_the_languages_better_than_the_three_best_objectives(toy):
    served, naive = 0.0, 0.0
    for number in range(6):
        world, records = study(number)
        gains = {r.number: world.gains([r.plan.schedule])[0, 1:] for r in records}
        config = config_of(toy, world, leaders=3)
        ranked = sorted((r for r in records if r.role != "baseline"), key=lambda r: -r.objective)[:3]
        served += np.max([gains[r.number] for r in chosen(config, records)], axis=0).mean()
        naive += np.max([gains[r.number] for r in ranked], axis=0).mean()
    assert served > naive
