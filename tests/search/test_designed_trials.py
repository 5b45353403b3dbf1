import pytest

from tasksearch.core.space import decode
from tasksearch.search.designed_trials import designed_trials


def names(found):
    return [str(design.schedule) for design in found]


def test_singles_uniform_proportional_and_the_size_rule_in_that_order(toy):
    assert names(designed_trials(toy.space(), toy.sizes)) == [
        "ccg, 64 steps",
        "mnli, 64 steps",
        "qqp, 64 steps",
        "ccg 3/8 + mnli 3/8 + qqp 1/4, 64 steps",
        "ccg 1/8 + mnli 5/8 + qqp 1/4, 64 steps",
        "ccg (8) → qqp (16) → mnli (40)",
    ]


def test_all_designs_have_the_first_listed_length(toy):
    assert {design.schedule.steps for design in designed_trials(toy.space(steps=(128, 64)), toy.sizes)} == {128}


def test_equal_sizes_make_proportional_the_same_as_uniform_and_leave_no_order(toy):
    assert len(designed_trials(toy.space(), dict.fromkeys(toy.sizes, 500))) == 4


def test_without_sizes_there_is_no_proportional_design(toy):
    assert len(designed_trials(toy.space(), {"mnli": 4000})) == 4


@pytest.mark.parametrize(
    ("changes", "count"),
    [({"schedules": ("joint",)}, 5), ({"schedules": ("sequential",)}, 4), ({"max_tasks": 1}, 3), ({"tasks": ("mnli",)}, 1)],
)
def test_what_the_space_cannot_express_is_left_out(toy, changes, count):
    assert len(designed_trials(toy.space(**changes), toy.sizes)) == count


def test_a_space_of_large_subsets_has_no_single_tasks(toy):
    assert names(designed_trials(toy.space(min_tasks=3, schedules=("joint",)), {})) == [
        "ccg 3/8 + mnli 3/8 + qqp 1/4, 64 steps"
    ]


@pytest.mark.parametrize("denominator", [8, None, 16])
def test_a_designs_parameters_decode_to_its_schedule(toy, denominator):
    space = toy.space(denominator=denominator)
    for design in designed_trials(space, toy.sizes):
        assert decode(space, dict(design.params)) == design.schedule


@pytest.mark.parametrize(("rules", "count"), [((), 6), (("capped(100)",), 3), (("explicit", "capped(100)"), 6)])
def test_a_design_of_another_rule_than_the_space_s_is_left_out(toy, rules, count):
    space = toy.space(rules=rules).with_sizes(toy.sizes)
    assert len(designed_trials(space, toy.sizes)) == count
