"""A study drawn before it runs has the trials that it will have."""

from collections import Counter

from tasksearch.search.simulated_study import simulated_study


def test_a_drawn_study_is_complete_and_equal_for_equal_draws(toy):
    config = toy.config(sampler="random", leaders=2, leader_seeds=2, most_seeds=2)
    first, same, other = (simulated_study(config, toy.sizes, toy.plan_of, {}, draw) for draw in (0, 0, 1))
    assert first == same and first != other
    roles = Counter(record.role for record in first)
    assert sum(roles[role] for role in ("baseline", "design", "search")) == config.trials
    assert set(Counter(r.plan.schedule for r in first if r.role == "finalist").values()) == {2} and roles["finalist"] >= 4
    searched = [[r.plan for r in study if r.role != "finalist"] for study in (first, other)]
    assert searched[0] == searched[1], "a random search is told nothing"
