"""Snapshots inside a segment: model, heads, optimiser and position, so that a killed segment goes on where it was.

Dropout, masks, data order and learning rate of a step are functions of (signature, step): no generator's state is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasksearch.phases.preemption import PREEMPTION
from tasksearch.store.segment_store import SegmentDamaged, SegmentStore, Tensors
from tasksearch.training.loop import OptimizerState, Saving


@dataclass(frozen=True, kw_only=True)
class CheckpointPolicy:
    """How often a segment is saved on the way: every so many steps, and every so many seconds; None: not by that."""

    every_steps: int | None = None
    every_seconds: float | None = 600.0


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A segment's state after `step` steps, which took `seconds`."""

    step: int
    seconds: float
    tables: dict[str, Tensors]


def latest(store: SegmentStore | None, signature: str, tables: Sequence[str]) -> Checkpoint | None:
    """The furthest snapshot that is whole; damaged ones are removed."""
    if store is None:
        return None
    for name in store.snapshots(signature):
        manifest = store.reusable(name)
        if manifest is not None:
            try:
                found = {table: store.tensors(name, table) for table in tables}
            except SegmentDamaged:
                continue
            facts = manifest["facts"]
            return Checkpoint(step=int(facts["steps"]), seconds=float(facts["seconds"]), tables=found)
        store.discard(name)
    return None


def saving(
    store: SegmentStore | None,
    signature: str,
    policy: CheckpointPolicy,
    tables_of: Callable[[], dict[str, Tensors]],
    seconds_so_far: Callable[[], float],
    label: str,
) -> Saving | None:
    """What the training loop calls on its way: the new snapshot is committed before the old one goes.

    After a SIGTERM it is called once more, and the process ends (`last_call`).
    """
    if store is None or (policy.every_steps is None and policy.every_seconds is None):
        return None

    def save(step: int, optimizer: OptimizerState) -> None:
        older = store.snapshots(signature)
        facts = {"kind": "snapshot", "steps": step, "seconds": seconds_so_far(), "label": label}
        store.put(f"{signature}.{step:08d}", {**tables_of(), "optimizer": optimizer}, facts)
        for name in older:
            store.discard(name)
        PREEMPTION.obey()

    return Saving(save=save, every_steps=policy.every_steps, every_seconds=policy.every_seconds, asked=PREEMPTION.came)


def clear(store: SegmentStore, signature: str) -> None:
    """The segment is in the store: what was saved on the way to it goes."""
    for name in store.snapshots(signature):
        store.discard(name)
