"""A design keeps its name whatever its shares are rounded to; designs that come to one schedule carry both names."""

import dataclasses

import pytest

from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace
from tasksearch.search.controls import stretched
from tasksearch.search.design_names import DesignNames, joined
from tasksearch.search.designed_trials import designed_trials


def space(count, denominator=8):
    return SearchSpace(
        name="s", summary="", tasks=tuple(f"t{i}" for i in range(count)), steps=(64,), min_tasks=1, denominator=denominator
    )


@pytest.mark.parametrize("denominator", [8, None])
@pytest.mark.parametrize("count", range(2, 11))
def test_equal_shares_are_the_uniform_joint_however_they_are_rounded(count, denominator):
    asked = space(count, denominator)
    sizes = {task: 1000 * 4**place for place, task in enumerate(asked.tasks)}
    designs = designed_trials(asked, sizes)
    (uniform,) = [design for design in designs if "uniform joint" in design.names]
    names = DesignNames.of([asked], sizes)
    (proportional,) = [design for design in designs if "proportional joint" in design.names]
    if uniform is proportional:
        assert names.name(uniform.schedule) == "uniform = proportional joint"
    else:
        assert names.name(uniform.schedule) == DesignNames().name(uniform.schedule) == "uniform joint"
        assert names.name(proportional.schedule) == "proportional joint"
    assert names.name(stretched(uniform.schedule, 1024)) == names.name(uniform.schedule)
    assert {names.name(d.schedule) for d in designs if len(d.schedule.tasks) == 1} == {"best single"}
    (size_rule,) = [d for d in designs if d.schedule.kind == "sequential"]
    assert names.name(size_rule.schedule) == "size rule"


@pytest.mark.parametrize("count", [3, 6, 9])
def test_tasks_of_one_size_give_one_joint_design_with_both_names(count):
    asked = space(count)
    sizes = dict.fromkeys(asked.tasks, 1000)
    (joint,) = [design for design in designed_trials(asked, sizes) if len(design.schedule.tasks) > 1]
    assert joint.names == ("uniform joint", "proportional joint")
    assert DesignNames.of([asked], sizes).name(joint.schedule) == "uniform = proportional joint"
    assert DesignNames.of([asked], {}).name(joint.schedule) == "uniform joint", "without sizes there is no proportional one"


def test_names_are_no_part_of_what_is_proposed():
    asked = space(3)
    designs = designed_trials(asked, {"t0": 10, "t1": 20, "t2": 40})
    assert [dataclasses.replace(d, names=()) for d in designs] == [
        dataclasses.replace(d, names=()) for d in dict.fromkeys(designs)
    ]
    assert [d.schedule.tasks for d in designs[:3]] == [("t0",), ("t1",), ("t2",)]


def test_a_space_of_one_task_has_a_single_and_no_joint():
    (design,) = designed_trials(space(1), {"t0": 10})
    assert design.names == ("best single",)


def test_a_space_that_grew_keeps_the_names_of_both_widths():
    narrow, wide = space(3), space(6)
    sizes = {task: 1000 * 4**place for place, task in enumerate(wide.tasks)}
    names = DesignNames.of([narrow, wide], sizes)
    for asked in (narrow, wide):
        for design in designed_trials(asked, sizes):
            assert names.all_of(design.schedule) == design.names


def test_what_is_no_design_is_named_by_its_shape():
    names = DesignNames()
    assert names.name(Schedule.joint(Mixture.of({"a": 3, "b": 1}), 8)) == "proportional joint"
    assert names.name(Schedule.joint(Mixture.uniform("a", "b"), 8)) == "uniform joint"
    assert names.name(Schedule.joint(Mixture.of({"a": 3, "b": 3, "c": 2}), 8)) == "uniform joint"
    assert joined(["best single", "uniform joint"]) == "best single = uniform joint"
