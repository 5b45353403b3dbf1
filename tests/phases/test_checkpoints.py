"""A segment that was killed on its way goes on from its last snapshot, and no bit of the result shows it."""

import dataclasses
import errno
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasksearch.core.errors import DiskFull
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import sequential_twin
from tasksearch.phases import checkpoints as snapshots
from tasksearch.phases import preemption as last_call
from tasksearch.phases import resumable
from tasksearch.phases.checkpoints import CheckpointPolicy
from tasksearch.phases.context import open_context
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.store import segment_store
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.lab_suite import lab_suite

SUITE = lab_suite()
BOTH = Mixture.uniform("restate", "find")
SCHEDULES = {"joint": Schedule.joint(BOTH, 4), "sequential": sequential_twin(BOTH, ["find", "restate"], 4)}
SHORT = dataclasses.replace(
    SUITE.settings,
    intermediate=dataclasses.replace(SUITE.settings.intermediate, batch_size=8),
    target=dataclasses.replace(SUITE.settings.target, batch_size=8, steps=4),
    target_overrides=(),
)
POLICIES = {
    policy: dataclasses.replace(SHORT, intermediate=dataclasses.replace(SHORT.intermediate, lr_policy=policy))
    for policy in ("phase", "stage")
}
STEPS = 4 + 4  # of the chain's two stages together, and of the target


def plan(schedule, settings, targets):
    return Plan(suite="lab", schedule=schedule, targets=targets, languages=("en", "near1"), settings=settings, seed=0)


class Killed(Exception):
    """Stands for a process that ends."""


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


@pytest.fixture(scope="module")
def undisturbed(context):
    return {name: run_plan(plan(SCHEDULES["sequential"], POLICIES[name], ("topic",)), context) for name in POLICIES}


def run_killed_at(staged, context, kills):
    """Runs a plan part by part, each time in a new `PlanRun`; the process "ends" after so many steps of its life, each time."""
    steps_taken = 0
    for kill in [*kills, None]:
        left = [kill]

        def on_step(part, step, steps, left=left):
            if left[0] is not None:
                left[0] -= 1
                if left[0] < 0:
                    raise Killed

        try:
            run = PlanRun(staged, context)
            for part in run.parts:
                done = run.run(part, on_step)
                steps_taken += done.steps
        except Killed:
            continue
        return done, steps_taken
    raise AssertionError("the last life is not ended")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=12)
@given(st.lists(st.integers(0, STEPS - 1), min_size=1, max_size=4), st.integers(1, 3), st.sampled_from(["phase", "stage"]))
def test_killed_at_any_steps_it_ends_with_the_bits_of_an_undisturbed_run(context, undisturbed, kills, every, policy):
    with tempfile.TemporaryDirectory() as folder:
        kept = SegmentStore(Path(folder))
        saved = dataclasses.replace(context, store=kept, snapshots=CheckpointPolicy(every_steps=every, every_seconds=None))
        done, _ = run_killed_at(plan(SCHEDULES["sequential"], POLICIES[policy], ("topic",)), saved, kills)
        assert all(np.array_equal(done.outcomes[cell], undisturbed[policy].outcomes[cell]) for cell in done.outcomes)
        assert not [name for name in kept.names() if "." in name], "snapshots go with the segment's commit"


def test_weights_optimiser_and_heads_are_equal_to_the_bit_after_a_kill(context, tmp_path):
    staged = plan(SCHEDULES["sequential"], POLICIES["phase"], ("topic",))
    stores = []
    for name, kills in (("calm", []), ("killed", [1, 1])):
        kept = SegmentStore(tmp_path / name)
        stores.append(kept)
        run_killed_at(staged, dataclasses.replace(context, store=kept, snapshots=CheckpointPolicy(every_steps=1)), kills)
    for segment in PlanRun(staged, context).intermediate:
        for table in ("model", "heads", "optimizer") if segment.carries else ("model", "heads"):
            calm, killed = (kept.tensors(segment.signature, table) for kept in stores)
            assert calm.keys() == killed.keys() and all(torch.equal(calm[key], killed[key]) for key in calm)


def test_only_the_steps_since_the_last_snapshot_are_taken_again(context, tmp_path):
    kept = SegmentStore(tmp_path)
    saved = dataclasses.replace(context, store=kept, snapshots=CheckpointPolicy(every_steps=1))
    staged = plan(SCHEDULES["joint"], SHORT, ("topic",))
    run = PlanRun(staged, saved)
    with pytest.raises(Killed):
        run.run("intermediate/0", lambda part, step, steps: (_ for _ in ()).throw(Killed) if step == 3 else None)
    assert [name.rpartition(".")[2] for name in kept.names()] == ["00000002"]
    assert PlanRun(staged, saved).run("intermediate/0").steps == 2


def test_a_snapshot_on_a_slow_disk_does_not_stop_the_steps(context, tmp_path, monkeypatch):
    saved = dataclasses.replace(context, store=SegmentStore(tmp_path), snapshots=CheckpointPolicy(every_steps=2))
    real, synced, steps = segment_store.sync, [], []

    def slow(path):
        time.sleep(0.3)
        real(path)
        synced.append(time.monotonic())

    monkeypatch.setattr(segment_store, "sync", slow)
    run = PlanRun(plan(SCHEDULES["joint"], SHORT, ("topic",)), saved)
    run.run("intermediate/0", lambda *_: steps.append(time.monotonic()))
    of_snapshot = synced[:4]  # its three files and the manifest, each after 0.3 s
    assert len(steps) == 4 and steps[-1] < of_snapshot[-1], "steps 3 and 4 are taken while the snapshot of step 2 is written"
    assert not saved.store.snapshots(run.intermediate[0].signature)


def test_a_snapshot_that_cannot_be_written_ends_the_training_with_the_cause(context, tmp_path, monkeypatch):
    saved = dataclasses.replace(context, store=SegmentStore(tmp_path), snapshots=CheckpointPolicy(every_steps=2))

    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(segment_store, "sync", full)
    with pytest.raises(DiskFull, match="no room left"):
        PlanRun(plan(SCHEDULES["joint"], SHORT, ("topic",)), saved).run("intermediate/0")


def test_a_damaged_snapshot_is_not_there(context, tmp_path):
    kept = SegmentStore(tmp_path)
    saved = dataclasses.replace(context, store=kept, snapshots=CheckpointPolicy(every_steps=2))
    staged = plan(SCHEDULES["joint"], SHORT, ("topic",))
    with pytest.raises(Killed):
        PlanRun(staged, saved).run(
            "intermediate/0", lambda part, step, steps: (_ for _ in ()).throw(Killed) if step == 3 else None
        )
    [name] = kept.names()
    (kept.folder(name) / "optimizer.safetensors").write_bytes(b"")
    assert PlanRun(staged, saved).run("intermediate/0").steps == 4


def test_sigterm_while_training_saves_once_more_at_the_end_of_the_step_and_ends_the_process(context, undisturbed, tmp_path):
    kept = SegmentStore(tmp_path)
    saved = dataclasses.replace(context, store=kept, snapshots=CheckpointPolicy(every_seconds=3600.0))
    staged = plan(SCHEDULES["sequential"], POLICIES["phase"], ("topic",))
    call, before, told = last_call.Preemption(), signal.getsignal(signal.SIGTERM), []

    def on_step(part, step, steps):
        told.append((part, step))
        if (part, step) == ("target/topic", 2):
            signal.raise_signal(signal.SIGTERM)  # comes in the middle of a step, before it is saved

    with pytest.MonkeyPatch.context() as patch:
        for module in (snapshots, resumable):
            patch.setattr(module, "PREEMPTION", call)
        call.listen()
        try:
            with pytest.raises(SystemExit) as ended:
                run_plan(staged, saved, on_step)
        finally:
            signal.signal(signal.SIGTERM, before)
    assert ended.value.code == last_call.EXIT_CODE == 143
    assert told[-1] == ("target/topic", 2)
    [snapshot] = [name for name in kept.names() if "." in name]
    assert snapshot.endswith(".00000002")
    taken = []
    done = run_plan(staged, saved, lambda part, step, steps: taken.append((part, step)))
    assert taken == [("target/topic", 3), ("target/topic", 4)]
    assert all(np.array_equal(done.outcomes[cell], undisturbed["phase"].outcomes[cell]) for cell in done.outcomes)


def test_sigterm_between_two_parts_ends_the_process_at_once():
    call, before = last_call.Preemption(), signal.getsignal(signal.SIGTERM)
    call.obey()
    call.listen()
    try:
        with call.training():
            signal.raise_signal(signal.SIGTERM)
            assert call.came()
        with pytest.raises(SystemExit):
            call.obey()
        with pytest.raises(SystemExit):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
