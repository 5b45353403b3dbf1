"""Which examples each step holds: exact counts, full steps, and twins that differ in interleaving alone."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Stage
from tasksearch.core.space import sequential_twin
from tasksearch.training.curves import Curve
from tasksearch.training.order import draw_items, example_order, stage_counts, stage_steps

TASKS = ("a", "b", "c", "d")
mixtures = st.dictionaries(st.sampled_from(TASKS), st.integers(1, 9), min_size=1).map(Mixture.of)
stages = st.builds(Stage, start=mixtures, end=mixtures, steps=st.integers(1, 60))


@settings(deadline=None)
@given(stages, st.integers(1, 33), st.integers(0, 5), st.sampled_from(["task", "mixed"]))
def test_counts_are_exact_within_one_example_and_every_step_is_full(stage, batch, seed, mixing):
    steps = stage_steps(stage, batch, seed=seed, mixing=mixing)
    assert len(steps) == stage.steps
    assert all(sum(n for _, n in step) == batch for step in steps)
    for task in stage.tasks:
        shown = sum(n for step in steps for name, n in step if name == task)
        assert shown == stage_counts(stage, batch)[task]
        assert abs(shown - stage.share(task) * stage.steps * batch) < 1


@given(stages, st.integers(2, 16))
def test_in_task_mode_only_remainders_are_mixed(stage, batch):
    steps = stage_steps(stage, batch, seed=0, mixing="task")
    assert sum(len(step) > 1 for step in steps) < max(2, len(stage.tasks))


def test_annealing_moves_from_the_first_task_to_the_last():
    stage = Stage(start=Mixture.uniform("a"), end=Mixture.uniform("b"), steps=100)
    names = [step[0][0] for step in stage_steps(stage, 8, seed=0, mixing="task")]
    assert names[:20].count("a") >= 16
    assert names[-20:].count("b") >= 16


def test_joint_interleaves_from_the_start():
    mixture = Mixture.uniform("a", "b")
    names = [step[0][0] for step in stage_steps(Stage(start=mixture, end=mixture, steps=40), 8, seed=0, mixing="task")]
    assert names[:10].count("a") == 5


def test_twins_see_the_same_examples_of_each_task_in_the_same_order():
    mixture, batch, lengths = Mixture.of({"a": 3, "b": 1}), 8, {"a": np.arange(50) % 7, "b": np.arange(30) % 5}
    joint = stage_steps(Stage(start=mixture, end=mixture, steps=32), batch, seed=1, mixing="task")
    chain = sequential_twin(mixture, ["b", "a"], 32)
    shown, one_after_the_other = {}, []
    for stage in chain.stages:
        steps = stage_steps(stage, batch, seed=1, mixing="task")
        one_after_the_other += draw_items(steps, lengths, batch, seed=1, skip=shown)
        shown |= {task: shown.get(task, 0) + n for task, n in stage_counts(stage, batch).items()}
    together = draw_items(joint, lengths, batch, seed=1, skip={})

    def of(task, steps):
        return np.concatenate([items for step in steps for name, items in step.parts if name == task]).tolist()

    for task in ("a", "b"):
        assert of(task, together) == of(task, one_after_the_other)


@given(st.integers(1, 200), st.integers(1, 20), st.integers(0, 3))
def test_an_epoch_shows_every_example_once(size, batch, seed):
    order = example_order("a", seed, np.arange(size) % 11, batch, size, 0)
    assert sorted(order.tolist()) == list(range(size))


@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 100), st.integers(0, 100))
def test_a_sequence_taken_in_two_parts_is_the_same_sequence(size, batch, first, second):
    lengths = np.arange(size) % 5
    whole = example_order("a", 0, lengths, batch, first + second, 0).tolist()
    parts = [example_order("a", 0, lengths, batch, first, 0), example_order("a", 0, lengths, batch, second, first)]
    assert np.concatenate(parts).tolist() == whole


def test_one_curve_over_two_stages_goes_on_where_the_first_stage_stopped():
    whole = Curve(total=100, warmup=0.1)
    second = Curve(total=100, begin=60, warmup=0.1)
    assert [second.at(i) for i in range(40)] == [whole.at(60 + i) for i in range(40)]
    assert max(whole.at(i) for i in range(100)) == 1
    assert whole.at(0) == 0.1
    assert whole.at(99) > 0


@given(st.integers(1, 300), st.floats(0, 0.95), st.integers(0, 300))
def test_a_curve_rises_to_one_then_falls_and_never_reaches_zero_inside(total, warmup, begin):
    rates = [Curve(total=total, warmup=warmup).at(i) for i in range(total)]
    top = rates.index(max(rates))
    assert all(0 < rate <= 1 for rate in rates)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    rest = Curve(total=total, begin=min(begin, total), warmup=warmup)
    assert [rest.at(i) for i in range(total - rest.begin)] == rates[rest.begin :]


@settings(deadline=None)
@given(stages, st.integers(1, 33))
def test_in_mixed_mode_every_step_holds_the_shares_of_its_moment(stage, batch):
    given_so_far = dict.fromkeys(stage.tasks, 0)
    for number, step in enumerate(stage_steps(stage, batch, seed=0, mixing="mixed"), start=1):
        for task, n in step:
            given_so_far[task] += n
        at = Fraction(number, stage.steps)
        for task, shown in given_so_far.items():
            first, last = stage.start.share(task), stage.end.share(task)
            due = (first * at + (last - first) * at * at / 2) * stage.steps * batch
            assert abs(shown - due) <= len(stage.tasks)
