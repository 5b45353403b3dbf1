"""A study drawn before it runs has the trials that it will have."""

import dataclasses
from collections import Counter

import pytest

from tasksearch.phases.segments import few_shot_draw
from tasksearch.search.simulated_study import bounds, simulated_study


def test_a_drawn_study_is_complete_and_equal_for_equal_draws(toy):
    config = toy.config(sampler="random", leaders=2, leader_seeds=2, most_seeds=2)
    first, same, other = (simulated_study(config, toy.sizes, toy.plan_of, {}, draw) for draw in (0, 0, 1))
    assert first == same and first != other
    roles = Counter(record.role for record in first)
    assert roles["design"] + roles["search"] == config.trials - config.baseline_seeds
    assert set(Counter(r.plan.schedule for r in first if r.role == "finalist").values()) == {2} and roles["finalist"] >= 4
    searched = [[r.plan for r in study if r.role != "finalist"] for study in (first, other)]
    assert searched[0] == searched[1], "a random search is told nothing"


CELLS = (("nli", "en"), ("nli", "xx"))


@pytest.mark.parametrize(
    "asked",
    [
        {"leaders": 3, "leader_seeds": 2, "most_seeds": 5, "controls": ("length", "exposure", "soup"), "untrained": True},
        {"leaders": 1, "leader_seeds": 2, "most_seeds": 4, "controls": ("soup",), "few_shot": 5},
        {"leaders": 1, "leader_seeds": 5, "most_seeds": 5, "controls": ("average",), "few_shot": 5},
        {"leaders": 2, "leader_seeds": 1, "most_seeds": 5, "twins": 3, "twin_seeds": 3},
        {"leaders": 2, "leader_seeds": 3, "most_seeds": 3, "controls": ("exposure",), "trials": 5},
    ],
)
def test_whatever_the_results_a_study_has_as_many_trials_as_its_bounds_allow(toy, asked):
    config = toy.config(**{"sampler": "random", "trials": 14} | asked)
    limits = bounds(config)
    seen = set()

    def plan_of(schedule, seed):
        plan = toy.plan_of(schedule, seed)
        return dataclasses.replace(plan, settings=dataclasses.replace(plan.settings, few_shot=config.few_shot))

    for draw, race in ((0, None), (1, None), (2, None), (0, False), (0, True)):
        study = simulated_study(config, toy.sizes, plan_of, {}, draw, cells=CELLS, race=race)
        roles = Counter(record.role for record in study)
        assert all(limits[role].least <= roles[role] <= limits[role].most for role in limits)
        assert roles["design"] + roles["search"] == config.trials - config.baseline_seeds
        assert set(roles) <= {*limits, "baseline", "design", "search"}
        seen.add((race, roles["finalist"]))
    finalists = limits["finalist"]
    assert {(False, finalists.least), (True, finalists.most)} <= seen


def test_no_draw_of_few_shot_examples_counts_twice(toy):
    config = toy.config(sampler="random", trials=14, leaders=1, leader_seeds=5, most_seeds=5, few_shot=5)

    def plan_of(schedule, seed):
        plan = toy.plan_of(schedule, seed)
        return dataclasses.replace(plan, settings=dataclasses.replace(plan.settings, few_shot=config.few_shot))

    draws = {}
    for record in simulated_study(config, toy.sizes, plan_of, {}, 0):
        if record.plan.few_shot:
            draws.setdefault(record.plan.mix_signature, []).append(few_shot_draw(record.plan))
    assert [sorted(one) for one in draws.values()] == [[0, 1, 2], [0, 1, 2]]
