"""Learning-rate curves, and the pieces that a warmup-stable-decay curve cuts a phase into."""

import dataclasses

import pytest
from hypothesis import assume, given
from hypothesis import settings as how
from hypothesis import strategies as st

import search_spaces.ladder
from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import TrainSettings
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import annealed_twin, sequential_twin
from tasksearch.phases.lr_segments import lr_segments_of, stable_end

BOTH = Mixture.uniform("a", "b")
WSD = TrainSettings(curve="wsd", rung=18)
SCHEDULES = {
    "joint": lambda n: Schedule.joint(BOTH, n),
    "sequential": lambda n: sequential_twin(BOTH, ["b", "a"], n),
    "annealed": lambda n: annealed_twin(BOTH, ["b", "a"], n),
}
SETTINGS = st.builds(
    TrainSettings, curve=st.sampled_from(["linear", "wsd"]), rung=st.integers(1, 40), decay=st.floats(0.05, 0.9),
    warmup=st.floats(0, 0.9), lr_policy=st.sampled_from(["phase", "stage"]),
)  # fmt: skip


def rates(schedule, settings):
    return [piece.curve.at(step) for piece in lr_segments_of(schedule, settings) for step in range(piece.stage.steps)]


@how(deadline=None)
@given(st.sampled_from(sorted(SCHEDULES)), st.integers(2, 400), SETTINGS)
def test_pieces_are_the_schedule_and_every_rate_is_in_range(kind, steps, settings):
    schedule = SCHEDULES[kind](steps)
    pieces = lr_segments_of(schedule, settings)
    for stage in schedule.stages:
        own = [piece.stage for piece in pieces if piece.stage.tasks == stage.tasks]
        assert sum(one.steps for one in own) == stage.steps
        assert {(one.start, one.end) for one in own} == {(stage.start, stage.end)}
    assert all(0 < rate <= 1 for rate in rates(schedule, settings))
    assert [p.carried for p in pieces[1:]] == [p.carries for p in pieces[:-1]] and not pieces[-1].carries


@how(deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), SETTINGS)
def test_a_longer_phase_begins_with_the_stable_part_of_a_shorter_one_to_the_name(first, second, settings):
    short, long = sorted((first, second))
    assume(
        settings.curve == "wsd" and stable_end(short, settings) % settings.rung == 0 < short - stable_end(short, settings)
    )  # long enough for a rung and a decay
    pieces = [lr_segments_of(Schedule.joint(BOTH, n), settings) for n in (short, long)]
    begun = 0
    for ours, theirs in zip(*pieces, strict=False):
        begun += ours.stage.steps
        if begun > stable_end(short, settings):
            break
        assert ours.stage == theirs.stage and ours.recipe() == theirs.recipe()
        assert [ours.curve.at(i) for i in range(ours.stage.steps)] == [theirs.curve.at(i) for i in range(ours.stage.steps)]


def test_the_rate_rises_stays_and_falls_to_nothing():
    found = rates(Schedule.joint(BOTH, 40), WSD)
    assert found[:3] == [0.5, 1.0, 1.0] and found[35] == 1.0
    assert found[36:] == [1.0, 0.75, 0.5, 0.25]


def test_the_ladder_s_lengths_waste_no_step():
    space = search_spaces.ladder.SPACE
    settings = TrainSettings(curve="wsd", rung=space.rung, decay=space.decay)
    assert [stable_end(n, settings) for n in space.steps] == [n * 9 // 10 for n in space.steps]
    distinct = {}
    for length in space.steps:
        begun = ()
        for piece in lr_segments_of(Schedule.joint(BOTH, length), settings):
            begun = (*begun, str(piece.recipe()), piece.stage.steps)
            distinct[begun] = piece.stage.steps
    assert (sum(distinct.values()), sum(space.steps)) == (560, 2720)


@pytest.mark.parametrize("wrong", [{"rung": None}, {"rung": 0}, {"rung": 4, "decay": 0.0}, {"rung": 4, "decay": 1.0}])
def test_a_wsd_curve_without_rungs_or_decay_is_refused(wrong):
    with pytest.raises(BadInput, match="expected"):
        TrainSettings(curve="wsd", **wrong)
    with pytest.raises(BadInput, match="expected"):
        dataclasses.replace(search_spaces.ladder.SPACE, **wrong)
