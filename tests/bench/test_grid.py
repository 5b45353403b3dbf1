"""A recorded grid: it comes back as it was written, and searches are replayed on it with a seed apart that judges."""

import random

import numpy as np
import pytest

from tasksearch.bench.grid import read_grid, write_grid
from tasksearch.bench.grid_replay import complete_mixes, replay_grid
from tasksearch.bench.planted_world import NULL, TUNE, draw_world
from tasksearch.bench.simulate import proposed, space_of
from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import decode
from tasksearch.search.random_schedules import random_params

NOTE = {"about": "toy", "groups": {"nli": "classification"}, "metrics": {"nli": "accuracy"}}
GAIN = "points gained by the pick: "


def trainings(family, mixes=24, seeds=3, number=0):
    world = draw_world(family, number)
    plans = [(Schedule.none(), seed) for seed in range(6)]
    plans += [(mix, seed) for _, mix in proposed(world, mixes, number) for seed in range(seeds)]
    for place, (mix, seed) in enumerate(plans):
        gain, outcomes = world.gains([mix])[0], {}
        for half in ("select", "report"):
            right = world.outcomes(gain, 0 if not mix.stages else place - seed, seed, half)
            outcomes |= {
                ("nli", language, half): np.stack([row, np.ones(len(row))], axis=1).astype(np.float32)
                for language, row in zip(world.languages, right, strict=True)
            }
        yield mix, seed, outcomes


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    return write_grid(tmp_path_factory.mktemp("grid") / "grid.npz", NOTE, list(trainings(TUNE)))


def test_what_was_recorded_comes_back(tmp_path):
    told = list(trainings(TUNE, mixes=3))
    found = write_grid(tmp_path / "g.npz", NOTE, told)
    for mix, seed, outcomes in told:
        back = found.outcomes(mix, seed)
        assert back.keys() == outcomes.keys()
        assert all(np.array_equal(back[cell], outcomes[cell]) for cell in outcomes)
    assert found.seeds(Schedule.none()) == tuple(range(6))
    assert found.note["groups"] == NOTE["groups"]
    assert [path.name for path in tmp_path.iterdir()] == ["g.npz"]


def test_mixes_without_all_their_seeds_are_not_replayed(tmp_path):
    told = list(trainings(TUNE, mixes=4))[:-1]
    assert len(complete_mixes(write_grid(tmp_path / "g.npz", NOTE, told))) == 3


def test_what_is_no_grid_is_named(tmp_path):
    with pytest.raises(DataMissing, match=r"lab_grid\.py"):
        read_grid(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK nothing")
    with pytest.raises(BadInput, match="no recorded grid"):
        read_grid(tmp_path / "bad.npz")
    np.savez(tmp_path / "pickled.npz", note=np.array([{"a": 1}], dtype=object))
    with pytest.raises(BadInput, match="no recorded grid"):
        read_grid(tmp_path / "pickled.npz")


def test_a_training_that_is_not_there_is_named(grid):
    with pytest.raises(BadInput, match="on seed 7; the grid holds its seeds"):
        grid.outcomes(grid.mixes[1], 7)


def test_more_trials_than_mixes_are_refused(grid):
    with pytest.raises(BadInput, match="99 trials; expected at most 24"):
        replay_grid(grid, 0, [99])


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_search_is_replayed_and_the_same_order_gives_the_same_numbers(grid, sampler):
    once, again = (replay_grid(grid, 1, [12, 20], sampler=sampler).plain() for _ in range(2))
    assert once == again
    assert set(once[GAIN + "pooled"]) == {"12", "20"}
    assert 0 <= once["share of 95 % intervals that hold zero between two seeds of the pick"]["20"][0] <= 1


def test_a_sampler_and_a_picker_of_ones_own_are_answered_by_recorded_mixes(grid):
    space, asked = space_of(draw_world(TUNE, 0)), []

    def sample(_, told, rng: random.Random):
        asked.append(len(told))
        return decode(space, random_params(space, rng))

    rows = replay_grid(grid, 2, [20], sampler=sample, picker=lambda shown: -shown.gains).values
    assert asked == list(range(9, 20))  # the eight single tasks and their uniform mix stand first
    assert rows[GAIN + "asked"][20][0] < rows[GAIN + "pooled"][20][0]


def test_where_nothing_helps_picks_gain_nothing_on_the_seed_that_judges(tmp_path):
    null = write_grid(tmp_path / "null.npz", NOTE, list(trainings(NULL, number=3)))
    rows = replay_grid(null, 0, [24])
    for order in range(1, 9):
        rows.extend(replay_grid(null, order, [24]))
    held = rows.values["share of 95 % intervals that hold zero between two seeds of the pick"][24]
    assert abs(np.mean(rows.values[GAIN + "bare"][24])) < 2.0
    assert np.mean(rows.values["points foreseen - gained: bare"][24]) > 2.0
    assert np.mean(held) > 0.8
