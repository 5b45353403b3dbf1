"""Snapshots inside a segment: model, heads, optimiser and position, from which a killed segment continues.

Dropout, masks, data order and learning rate of a step are functions of (signature, step), so no random generator state is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tasksearch.core.learning_curve import LearningCurve
from tasksearch.phases.preemption import PREEMPTION
from tasksearch.store.segment_store import SegmentDamaged, SegmentStore, Tensors
from tasksearch.training.loop import Saving
from tasksearch.training.optimizer import OptimizerState


@dataclass(frozen=True, kw_only=True)
class CheckpointPolicy:
    """How often a segment is saved during training, in steps and in seconds; None: not by that measure."""

    every_steps: int | None = None
    every_seconds: float | None = 600.0


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """State of a segment after `step` steps, which took `seconds` and followed `curve`; `facts` were saved with it."""

    step: int
    seconds: float
    tables: dict[str, Tensors]
    curve: LearningCurve
    facts: Mapping[str, Any]


def latest(store: SegmentStore | None, signature: str, tables: Sequence[str], beside: Sequence[str] = ()) -> Checkpoint | None:
    """Return the furthest undamaged snapshot, or None; damaged ones are removed. Tables `beside` are read where it has them."""
    if store is None:
        return None
    for name in store.snapshots(signature):
        manifest = store.reusable(name)
        if manifest is not None:
            try:
                there = [table for table in beside if f"{table}.safetensors" in manifest["files"]]
                found = {table: store.tensors(name, table) for table in (*tables, *there)}
            except SegmentDamaged:
                store.discard(name)
                continue
            facts = manifest["facts"]
            curve = LearningCurve.from_json(facts.get("curve", {}))
            return Checkpoint(step=int(facts["steps"]), seconds=float(facts["seconds"]), tables=found, curve=curve, facts=facts)
        store.discard(name)
    return None


def saving(
    store: SegmentStore | None,
    signature: str,
    policy: CheckpointPolicy,
    tables_of: Callable[[], dict[str, Tensors]],
    seconds_so_far: Callable[[], float],
    label: str,
    notes: Callable[[], dict[str, Any]] = dict,
) -> Saving | None:
    """Return the callback by which the training loop saves snapshots; None if it should save none.

    The state is copied at once and written by a thread while the next steps are taken, one snapshot at a time. The new snapshot
    is committed before the old one is removed. After a SIGTERM the loop saves once more and the process ends
    (`phases.preemption`).
    """
    if store is None or (policy.every_steps is None and policy.every_seconds is None):
        return None

    writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="snapshot")
    under_way: list[Future[None]] = []
    copied = 0

    def write(name: str, tables: dict[str, Tensors], facts: dict[str, Any]) -> None:
        older = store.snapshots(signature)
        store.put(name, tables, facts)
        for one in older:
            store.discard(one)

    def finish() -> None:
        while under_way:
            under_way.pop().result()

    def held() -> int:
        return 0 if all(one.done() for one in under_way) else copied

    def save(step: int, optimizer: OptimizerState) -> None:
        nonlocal copied
        facts = {"kind": "snapshot", "steps": step, "seconds": seconds_so_far(), "label": label, **notes()}
        finish()  # before another copy of the state is made
        tables = {**tables_of(), "optimizer": optimizer}
        copied = sum(tensor.nbytes for table in tables.values() for tensor in table.values())
        under_way.append(writer.submit(write, f"{signature}.{step:08d}", tables, facts))
        if PREEMPTION.came():
            finish()
            PREEMPTION.obey()

    return Saving(
        save=save,
        every_steps=policy.every_steps,
        every_seconds=policy.every_seconds,
        asked=PREEMPTION.came,
        finish=finish,
        held=held,
    )


def clear(store: SegmentStore, signature: str) -> None:
    """Remove the snapshots of a segment that is now in the store."""
    for name in store.snapshots(signature):
        store.discard(name)
