"""Mixes as arrays are the schedules that their parameters decode to."""

import dataclasses

import numpy as np
import pytest

from tasksearch.core.space import SearchSpace, decode
from tasksearch.search.candidate_mixes import CandidateMixes, edited, random_mixes
from tasksearch.search.surrogate.features import blocks_of, features

TASKS = ("qqp", "ccg", "siqa", "mnli", "squad", "qamr", "cosmos", "swag", "anli")
SPACE = SearchSpace(name="x", summary="", tasks=TASKS, steps=(96, 192))
SPACES = {
    "eighths": SPACE,
    "free shares": dataclasses.replace(SPACE, denominator=None),
    "three tasks": dataclasses.replace(SPACE, tasks=TASKS[:3], schedules=("joint", "annealed")),
    "at most two": dataclasses.replace(SPACE, max_tasks=2, min_tasks=2, schedules=("sequential",)),
    "rates": dataclasses.replace(SPACE, learning_rates=(1e-5, 2e-5, 5e-5)),
    "single": dataclasses.replace(SPACE, max_tasks=1, schedules=("joint",)),
}


@pytest.mark.parametrize("space", SPACES.values(), ids=list(SPACES))
def test_drawn_and_edited_mixes_are_schedules_of_the_space_with_the_same_features(space):
    rng = np.random.default_rng(0)
    mixes = random_mixes(space, rng, 150)
    for _ in range(3):
        mixes = edited(mixes, space, rng)
    params = [mixes.params(row, space) for row in range(len(mixes))]
    schedules = [decode(space, each) for each in params]
    assert None not in schedules
    names = tuple(sorted(space.tasks))
    told, ours = features(schedules, names), blocks_of(mixes.arrays(space, names))
    again = blocks_of(CandidateMixes.of(params, space).arrays(space, names))
    slack = 1e-9 if space.denominator else 0.03  # stages are whole steps
    for block in told:
        assert np.abs(told[block] - ours[block]).max() <= slack
        assert np.array_equal(ours[block], again[block])


def test_edits_in_blocks_are_those_of_as_many_calls():
    for space in SPACES.values():
        mixes = random_mixes(space, np.random.default_rng(3), 20)
        at_once = edited(mixes.repeated(5), space, np.random.default_rng(4), blocks=5)
        rng = np.random.default_rng(4)
        one_by_one = CandidateMixes.joined([edited(mixes, space, rng) for _ in range(5)])
        for name, found in vars(one_by_one).items():
            assert np.array_equal(found, getattr(at_once, name)), name


def test_an_edit_changes_one_thing_and_every_kind_of_edit_occurs():
    space = SPACES["rates"]
    mixes = random_mixes(space, np.random.default_rng(1), 400)
    after = edited(mixes, space, np.random.default_rng(2))
    was, now = mixes.weight > 0, after.weight > 0
    count = (was != now).sum(axis=1)
    assert set(count) == {0, 1, 2}  # a weight or the like; a task more or less; one for another
    changed = np.stack([(mixes.weight != after.weight).any(1), (mixes.rank != after.rank).any(1) & (count == 0),
                        mixes.kind != after.kind, mixes.steps != after.steps,
                        mixes.rate != after.rate])  # fmt: skip
    assert changed.any(axis=1).all() and (changed.sum(axis=0) <= 1).all()
