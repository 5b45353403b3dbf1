"""The recorded lab grid that comes with the project: small, complete, and replayed by one command."""

import pytest

from tasksearch.bench.campaign import GRID_FILE, BenchConfig, bench
from tasksearch.bench.grid import read_grid
from tasksearch.bench.grid_replay import SEEDS, complete_mixes
from tasksearch.tasks.lab_suite import LAB_WARNING, lab_suite

pytestmark = pytest.mark.skipif(not GRID_FILE.is_file(), reason="the recorded grid is in the repository, not in the wheel")


def test_it_is_small_and_says_what_it_is():
    grid, suite = read_grid(GRID_FILE), lab_suite()
    assert GRID_FILE.stat().st_size < 5 * 2**20
    assert grid.note["warning"] == LAB_WARNING and grid.note["command"].startswith("python benchmarks/lab_grid.py")
    assert set(grid.note["groups"]) == {card.name for card in suite.targets}
    mixes = complete_mixes(grid)
    assert len(mixes) == len(grid.mixes) - 1 == 300  # every mix that is in it has all its seeds
    assert len(grid.trainings) == SEEDS * len(mixes) + 8
    cells = {(target, language) for target, language, half in grid.codes if half == "report"}
    assert cells == {(card.name, language) for card in suite.targets for language in card.languages}


def test_it_is_replayed_by_one_command():
    rows = bench(BenchConfig(problem="lab-grid", worlds=3, first=0, trials=(24,))).values
    bare, pooled = (sum(rows[f"points foreseen - gained: {name}"][24]) for name in ("bare", "pooled"))
    assert bare > pooled
