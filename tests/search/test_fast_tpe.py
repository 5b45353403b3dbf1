"""The built-in sampler proposes what Optuna's TPE proposes on a study of the same trials, to the last bit."""

import random
import time

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace, decode, suggest
from tasksearch.core.study import TrialRecord
from tasksearch.search import tpe
from tasksearch.search.optuna_samplers import build_sampler
from tasksearch.search.random_schedules import random_params

TASKS = ("a", "b", "c", "d")
SPACES = [
    SearchSpace(name="x", summary="", tasks=TASKS, steps=(64, 128), schedules=("joint", "sequential", "annealed")),
    SearchSpace(name="y", summary="", tasks=TASKS, steps=(64,), schedules=("joint",), denominator=None),
    SearchSpace(name="z", summary="", tasks=TASKS[:3], steps=(8, 16, 32), schedules=("joint", "sequential"), max_tasks=2),
    SearchSpace(
        name="r",
        summary="",
        tasks=TASKS[:3],
        steps=(16, 32),
        schedules=("joint", "sequential"),
        rules=("explicit", "capped(10)", "capped(100)", "uniform->temperature(2)", "curriculum:uniform"),
    ).with_sizes({"a": 5, "b": 50, "c": 500}),
]
ROLES = ("design", "search", "search", "search", "baseline")
STATES = ("done", "done", "done", "failed", "stopped")


def drawn_history(space, size, seed, running):
    """Trials of every role and status with drawn results; the last `running` are running."""
    rng, records = random.Random(seed), []
    for number in range(size + running):
        role = rng.choice(ROLES)
        params = {f"use/{task}": False for task in space.tasks} if role == "baseline" else random_params(space, rng)
        schedule = Schedule.none() if role == "baseline" else decode(space, params)
        status = "running" if number >= size else "done" if role == "baseline" else rng.choice(STATES)
        records.append(
            TrialRecord(
                number=number, role=role, status=status, params=tuple(params.items()),
                plan=Plan(suite="s", schedule=schedule or Schedule.none(), targets=("t",), languages=("en",),
                          settings=PhaseSettings(), seed=number),
                objective=round(rng.gauss(0, 1), 1) if status == "done" else None,
            )
        )  # fmt: skip
    return records[:size], records[size:]


def on_a_study(space, told, pending, seeds):
    """The draws of Optuna's sampler on a study to which every trial was added: what this module replaces."""
    study = optuna.create_study(direction="maximize")
    study.add_trials(tpe._history(space, told, pending))
    for attempt, seed in enumerate(seeds):
        study.sampler = build_sampler("tpe", seed)
        yield suggest(space, tpe._Loosened(study.ask(), random.Random(seed), tpe._rate(attempt, len(seeds))))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(SPACES), st.integers(0, 90), st.integers(0, 2**32), st.integers(0, 5))
def test_every_draw_is_that_of_optunas_sampler_on_a_whole_study(space, size, seed, running):
    told, pending = drawn_history(space, size, seed, running)
    seeds = [seed + attempt for attempt in range(6)]
    assert list(tpe.tpe_suggestions(space, told, pending, seeds=seeds)) == list(on_a_study(space, told, pending, seeds))


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(SPACES), st.integers(0, 2**32))
def test_a_history_that_grows_and_changes_is_read_anew_where_it_changed(space, seed):
    whole, _ = drawn_history(space, 60, seed, 0)
    for told, pending in ((40, 44), (41, 45), (60, 60), (20, 30)):
        parts = whole[:told], whole[told:pending]
        assert list(tpe.tpe_suggestions(space, *parts, seeds=[seed, 1])) == list(on_a_study(space, *parts, [seed, 1]))


def test_a_long_history_draws_as_optuna_does_in_a_fraction_of_its_time():
    told, pending = drawn_history(SPACES[0], 1500, 3, 3)
    begin = time.process_time()
    slow = list(on_a_study(SPACES[0], told, pending, [1, 2]))
    between = time.process_time()
    assert list(tpe.tpe_suggestions(SPACES[0], told, pending, seeds=[1, 2])) == slow
    first = time.process_time()
    list(tpe.tpe_suggestions(SPACES[0], told, pending, seeds=[1, 2]))
    assert time.process_time() - first < (between - begin) / 2


@pytest.mark.filterwarnings("error")
def test_no_warning_of_an_experiment_is_shown():
    told, pending = drawn_history(SPACES[0], 12, 0, 0)
    next(tpe.tpe_suggestions(SPACES[0], told, pending, seeds=[1]))
