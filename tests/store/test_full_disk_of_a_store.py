"""A disk that really fills up under the segment store: one line, exit code 5, nothing half-written, and a way on."""

import dataclasses
import os
import subprocess

import numpy as np
import pytest

from tasksearch.core.errors import DiskFull
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.phases.context import open_context
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.lab_suite import lab_suite

SUITE = lab_suite()


def mount(*words):
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 3 MB: room for one stage of the chain (weights, heads and optimiser, 2.2 MB), not for two."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not mount("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)):
        pytest.skip("mounting a small disk needs root")
    yield folder
    assert mount("umount", str(folder))


def test_a_disk_that_fills_up_is_one_line_and_the_run_goes_on_when_there_is_room(tiny_lab, small_disk):
    context = open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)
    kept = dataclasses.replace(context, store=SegmentStore(small_disk))
    how = dataclasses.replace(SUITE.settings.intermediate, batch_size=8)
    plan = Plan(
        suite="lab", schedule=Schedule.sequential([("restate", 2), ("find", 2), ("marks", 2)]), targets=("retrieval",),
        languages=("en", "near1"), settings=dataclasses.replace(SUITE.settings, intermediate=how),
    )  # fmt: skip
    with pytest.raises(DiskFull, match=f"no room left under {small_disk}") as caught:
        run_plan(plan, kept)
    assert "\n" not in str(caught.value) and caught.value.exit_code == 5
    assert not [path for path in small_disk.rglob("*.safetensors") if path.parent.name.startswith(".")], "nothing half-written"

    assert mount("mount", "-o", "remount,size=64m", str(small_disk))
    again = PlanRun(plan, kept)
    assert [again.run(part).steps for part in again.parts[:3]] == [0, 2, 2], "the stage that found room was kept"
    fresh, resumed = run_plan(plan, context), run_plan(plan, kept)
    assert all(np.array_equal(fresh.outcomes[cell], resumed.outcomes[cell]) for cell in fresh.outcomes)
