import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.space import decode
from tasksearch.search.random_schedules import every_schedule, random_params


@given(seed=st.integers(0, 2**32), max_tasks=st.sampled_from([1, 2, None]), denominator=st.sampled_from([8, None]))
def test_a_random_draw_is_always_a_mix_of_the_space(toy, seed, max_tasks, denominator):
    space = toy.space(max_tasks=max_tasks, denominator=denominator)
    schedule = decode(space, random_params(space, random.Random(seed)))
    assert schedule is not None and 1 <= len(schedule.tasks) <= (max_tasks or 3)


def test_subsets_are_drawn_uniformly(toy):
    rng, space = random.Random(0), toy.space()
    count = Counter(decode(space, random_params(space, rng)).tasks for _ in range(1400))
    assert len(count) == 7 and all(150 < n < 250 for n in count.values())


def test_a_small_space_is_listed_whole(toy):
    assert {str(s) for s in every_schedule(toy.space(max_tasks=1))} == {
        f"{task}, {steps} steps" for task in ("ccg", "mnli", "qqp") for steps in (64, 128)
    }
    pairs = every_schedule(toy.space(tasks=("ccg", "mnli"), min_tasks=2, steps=(64,)))
    rng, space = random.Random(1), toy.space(tasks=("ccg", "mnli"), min_tasks=2, steps=(64,))
    assert {decode(space, random_params(space, rng)) for _ in range(3000)} == set(pairs)
    assert all(decode(space, params) == schedule for schedule, params in pairs.items())


def test_a_large_or_continuous_space_is_not_listed(toy):
    assert not every_schedule(toy.space(tasks=tuple("abcdefgh")))
    assert not every_schedule(toy.space(denominator=None))
    assert len(every_schedule(toy.space(denominator=None, max_tasks=1))) == 6
