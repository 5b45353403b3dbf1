"""Worlds for samplers: each has the trouble it is named for, and its best mix is found."""

import dataclasses

import numpy as np
import pytest

from tasksearch.bench.best_mix import best_gains
from tasksearch.bench.planted_world import HELD, draw_world
from tasksearch.bench.simulate import space_of
from tasksearch.bench.skill_worlds import HELD_OUT, SKILL_FAMILIES, TUNED
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.search.candidate_mixes import random_mixes


def alone(world, task):
    return world.gains([Schedule.joint(Mixture.uniform(task), 96)])[0]


def together(world, *tasks):
    return world.gains([Schedule.joint(Mixture.uniform(*tasks), 96)])[0]


def in_order(world, *tasks):
    return world.gains([Schedule.sequential([(task, 96 // len(tasks)) for task in tasks])])[0]


@pytest.mark.parametrize("family", SKILL_FAMILIES.values(), ids=lambda family: family.name)
def test_a_world_is_the_same_every_time_in_units_of_task_effects(family):
    world, again = draw_world(family, 3), draw_world(family, 3)
    single = np.array([alone(world, task).mean() for task in world.tasks])
    assert np.array_equal(single, [alone(again, task).mean() for task in again.tasks])
    assert single.std() == pytest.approx(1.0)
    assert not np.allclose(single, [alone(draw_world(family, 4), task).mean() for task in world.tasks])
    assert not world.gains([Schedule.none()]).any()


@pytest.mark.parametrize("families", (TUNED, HELD_OUT), ids=("tuned", "held out"))
def test_each_trouble_is_there(families):
    def mean_of(name, what):
        return float(np.mean([what(draw_world(families[name], seed)) for seed in range(20)]))

    def pair(world, similar):
        kin = world.parts["similar"]
        return next((f"t{i}", f"t{j}") for i in range(len(kin)) for j in range(i) if kin[i, j] == similar)

    clashing = float(families["interference"].clash_kin)

    def clash(world, similar):
        calm = dataclasses.replace(world, parts=world.parts | {"clash": 0 * world.parts["clash"]})
        return (together(calm, *pair(world, similar)) - together(world, *pair(world, similar))).mean()

    assert mean_of("interference", lambda world: clash(world, clashing)) > 0.2
    assert mean_of("interference", lambda world: clash(world, 1 - clashing)) == 0

    def washed(world):
        keeps = dataclasses.replace(world, parts=world.parts | {"washed": 0 * world.parts["washed"]})
        first, last = pair(world, 0.0)
        return np.abs(in_order(world, first, last) - in_order(keeps, first, last)).mean()

    assert mean_of("forgetting", washed) > 2 * mean_of("saturation", washed)

    def apart(world):
        return np.array([alone(world, task)[1:].std() for task in world.tasks]).mean()

    assert mean_of("families", apart) > 1.5 * mean_of("saturation", apart)
    assert families["collapse"].collapse


@pytest.mark.parametrize("family", (HELD, TUNED["forgetting"], HELD_OUT["families"]), ids=lambda family: family.name)
def test_no_mix_of_twenty_thousand_is_better_than_the_best_that_exists(family):
    world = draw_world(family, 7)
    space = space_of(world)
    drawn = world.gains_of(random_mixes(space, np.random.default_rng(1), 20_000).arrays(space))
    found = best_gains(world)
    assert (found >= drawn.max(axis=0) - 1e-9).all()
    assert np.array_equal(found, best_gains(world))
