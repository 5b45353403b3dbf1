"""A whole study in one process without Ray: the real trial manager, store and MLflow, with trials whose training is arithmetic.

A trial trains one segment per stage, saves a snapshot inside each, and scores its targets from the last segment's tensors as
read back from the store: a wrong byte that the store failed to detect would change the scores.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tasksearch.core.score import HALVES, Half, Score, ScoreTable
from tasksearch.core.signature import seed_from, signature_of
from tasksearch.core.study import TrialRecord
from tasksearch.engine.session import Session, open_session
from tasksearch.phases.checkpoints import clear
from tasksearch.records.ledger import Ledger
from tasksearch.store.eviction import claim, prune
from tasksearch.store.segment_store import SegmentDamaged, SegmentStore, Tensors
from tasksearch.study.locations import study_id
from tasksearch.torture.planted import GROUPS, NAME, SIZES, config, plan_of
from tasksearch.tracking.memory import MemoryTracker
from tasksearch.tracking.mlflow import MlflowTracker
from tasksearch.tracking.port import Tracker

BUDGET = 5_000
"""Store budget in bytes: less than a study's segments, so that some are evicted and trained again."""

_WIDTH, _EXAMPLES = 256, 40
Outcomes = dict[tuple[str, str, Half], np.ndarray[Any, np.dtype[np.float32]]]


def live(folder: Path, trials: int, leaders: int, *, tracked: bool) -> None:
    """Run what the study in the folder still lacks until it is complete, as `study.run` does.

    Args:
        tracked: log to MLflow; otherwise to a tracker in memory, which takes a tenth of the time.

    Raises:
        TasksearchError: as `raytune.driver.run_trials` does.
    """
    ledger, asked = Ledger(folder), config(trials, leaders)
    own = study_id(folder, NAME)
    tracker: Tracker = MlflowTracker(None, folder, own, groups=GROUPS) if tracked else MemoryTracker(study_id=own)
    tables: dict[str, Any] = {"sizes": SIZES, "groups": GROUPS, "plan_of": plan_of}
    with open_session(ledger, asked, **tables, tracker=tracker) as session:
        session.writer.wait_until_open()
        _run_all(session, ledger, SegmentStore(folder / "store"))
    session.finish()
    tracker.close_study({}, {}, complete=True)


def _run_all(session: Session, ledger: Ledger, store: SegmentStore) -> None:
    """Keep two trials in flight, of which the later one finishes first.

    The tracker is awaited after each, since it would keep up with real trials.
    """
    manager = session.manager
    flying: list[TrialRecord] = []
    while not manager.halted:
        found = manager.next() if len(flying) < 2 else None
        if isinstance(found, TrialRecord):
            flying.append(found)
        elif flying:
            record = flying.pop()
            manager.finish(record.number, _report(record, ledger, store))
            session.writer.settle()
        else:
            return


def _report(record: TrialRecord, ledger: Ledger, store: SegmentStore) -> dict[str, Any]:
    """Return the last report of a trial in the format of `trainables.base`."""
    names = list(_names(record))
    claim(store, names)
    final = np.zeros(_WIDTH, np.float32)
    for name in names:
        final = _segment(store, name, final)
    outcomes = _outcomes(record, final)
    rows = [
        Score(
            target=target,
            language=language,
            half=half,
            metric="accuracy",
            value=100 * float(table[:, 0].mean(dtype=np.float64)),
            examples=len(table),
            seed=record.plan.seed,
        )
        for (target, language, half), table in outcomes.items()
    ]
    ledger.write_outcomes(record.number, outcomes)
    told = {"seconds": json.dumps({}), "facts": json.dumps({}), "busy_seconds": 0.0, "final": True}
    return told | {"scores": json.dumps(ScoreTable.of(rows).to_json())}


def _names(record: TrialRecord) -> Iterator[str]:
    """Yield the signature of one segment per stage; schedules with the same first stages share their segments."""
    parent = signature_of("torture", record.plan.seed)
    for stage in record.plan.schedule.stages:
        parent = signature_of("torture", parent, stage)
        yield parent


def _segment(store: SegmentStore, name: str, before: np.ndarray[Any, np.dtype[np.float32]]) -> Any:
    """Return a segment's tensor: from the store, or trained from the previous one in two steps with a snapshot between them."""
    if store.manifest(name) is not None:
        try:
            found = np.asarray(store.tensors(name, "model")["w"].numpy())
            store.use(name)
            return found
        except SegmentDamaged:
            pass
    half = _half_way(store, name, before)
    _put(store, f"{name}.00000001", half, "snapshot")
    whole = half + _drawn(name, 2)
    _put(store, name, whole, "intermediate")
    clear(store, name)
    prune(store, BUDGET)
    return whole


def _half_way(store: SegmentStore, name: str, before: Any) -> Any:
    snapshot = f"{name}.00000001"
    if store.manifest(snapshot) is not None:
        try:
            return np.asarray(store.tensors(snapshot, "model")["w"].numpy())
        except SegmentDamaged:
            pass
    return before * np.float32(0.5) + _drawn(name, 1)


def _put(store: SegmentStore, name: str, tensor: Any, kind: str) -> None:
    tables: dict[str, Tensors] = {"model": {"w": torch.from_numpy(tensor)}, "heads": {"b": torch.ones(4)}}
    store.put(name, tables, {"kind": kind, "seconds": 1.0, "steps": 1, "label": "torture"})


def _drawn(name: str, step: int) -> Any:
    return np.random.default_rng(seed_from(name, step)).standard_normal(_WIDTH, dtype=np.float32)


def _outcomes(record: TrialRecord, final: Any) -> Outcomes:
    """Return outcomes of shape (examples, 2).

    An example is correct if a statistic of the final tensor exceeds its difficulty.
    """
    cells: Outcomes = {}
    for target, language, half in product(record.plan.targets, record.plan.languages, HALVES):
        draw = np.random.default_rng(seed_from("torture", target, language, half))
        difficulty = draw.standard_normal(_EXAMPLES) - 0.3 * draw.standard_normal(_EXAMPLES) * float(final[:8].sum())
        noise = np.random.default_rng(seed_from("torture", record.plan.seed, target, language, half)).standard_normal(_EXAMPLES)
        right = difficulty + 0.2 * noise < float(np.tanh(final.astype(np.float64).mean())) + 0.2
        cells[target, language, half] = np.stack([right.astype(np.float32), np.ones(_EXAMPLES, np.float32)], axis=1)
    return cells
