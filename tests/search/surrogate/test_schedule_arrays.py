"""Schedules as arrays: leaving out, moving and joining give what the schedules themselves would give."""

import numpy as np
import pytest

from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.search.surrogate.features import blocks_of, features
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays

TASKS = ("ccg", "mnli", "qqp")
JOINT = Schedule.joint(Mixture.of({"ccg": 1, "mnli": 1, "qqp": 2}), 96)
CHAIN = Schedule.sequential([("qqp", 48), ("ccg", 24), ("mnli", 24)])
PAIR = Schedule.sequential([("qqp", 48), ("ccg", 48)])


def same(arrays, *schedules):
    ours, theirs = blocks_of(arrays), features(schedules, TASKS)
    for name, block in theirs.items():
        assert np.allclose(ours[name], block), name


def test_a_task_left_out_gives_its_share_to_the_others_at_the_same_length():
    arrays = ScheduleArrays.of([JOINT, CHAIN, PAIR], TASKS)
    same(
        arrays.without(0),
        Schedule.joint(Mixture.of({"mnli": 1, "qqp": 2}), 96),
        Schedule.sequential([("qqp", 64), ("mnli", 32)]),
        Schedule.joint(Mixture.uniform("qqp"), 96),
    )
    same(arrays.rows(np.array([False, True, False])).without(2).without(1), Schedule.joint(Mixture.uniform("ccg"), 96))


@pytest.mark.parametrize("last", [True, False])
def test_a_task_moves_to_the_end_or_the_start_and_the_others_keep_their_order(last):
    moved = [("qqp", 48), ("mnli", 24), ("ccg", 24)] if last else [("ccg", 24), ("qqp", 48), ("mnli", 24)]
    same(ScheduleArrays.of([CHAIN], TASKS).moved(0, last=last), Schedule.sequential(moved))


def test_together_is_the_joint_twin():
    same(ScheduleArrays.of([CHAIN], TASKS).together(), Schedule.joint(CHAIN.mixture(), 96))


def test_even_shares_of_every_coalition():
    members = np.array([[True, False, True], [False, True, False]])
    mixes = (Schedule.joint(Mixture.uniform("ccg", "qqp"), 96), Schedule.joint(Mixture.uniform("mnli"), 96))
    same(ScheduleArrays.even(members, 96), *mixes)
