"""Which trials of an Optuna study are our records, and whether they say what the records say. Decides, and writes nothing.

An Optuna study is open to everybody who has its storage: trials are queued, added and told there by hand. So a trial is known
by what it carries, the number of its record and its plan, and never by its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from tasksearch.core.study import TrialRecord

NUMBER = "trial"
"""User attribute: the number of the record. Earlier versions wrote none: there place and number are one."""


def own_trials(trials: Iterable[FrozenTrial]) -> dict[int, FrozenTrial]:
    """Number of the record → its trial: the first that carries the number; a copy of it, made by hand, is somebody else's."""
    found: dict[int, FrozenTrial] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        if (number := _number(trial)) is not None:
            found.setdefault(number, trial)
    return found


def says_otherwise(trial: FrozenTrial, record: TrialRecord, *, judged: bool) -> bool:
    """Whether a trial is of another plan than its record, or ended otherwise. What is finished in Optuna cannot be changed.

    Args:
        judged: whether the record is final; else only the plans are compared.
    """
    if not _is_of(trial, record):
        return True
    return judged and trial.state.is_finished() and not is_told(trial, record)


def is_told(trial: FrozenTrial, record: TrialRecord) -> bool:
    """Whether a trial has the record's plan, end and objective."""
    state, value = outcome_of(record)
    if trial.state != state or not _is_of(trial, record):
        return False
    # a database may round the last digit
    return value is None or (trial.value is not None and math.isclose(trial.value, value, rel_tol=1e-12, abs_tol=1e-300))


def outcome_of(record: TrialRecord) -> tuple[TrialState, float | None]:
    """State and value of a judged record."""
    if record.status == "done" and record.objective is not None:
        return TrialState.COMPLETE, record.objective
    return (TrialState.PRUNED if record.status == "stopped" else TrialState.FAIL), None


def attributes_of(record: TrialRecord) -> dict[str, Any]:
    """User attributes of the record's trial."""
    plan = record.plan
    shown = {"role": record.role, "plan": plan.signature, "schedule": str(plan.schedule), "seed": plan.seed}
    return {NUMBER: record.number, **shown}


def _is_of(trial: FrozenTrial, record: TrialRecord) -> bool:
    """Whether it is the record's plan. One that gained targets or languages since is the same schedule on the same seed."""
    told, own = trial.user_attrs, attributes_of(record)
    return bool(told.get("plan") == own["plan"] or all(told.get(name) == own[name] for name in ("role", "schedule", "seed")))


def _number(trial: FrozenTrial) -> int | None:
    carried = trial.user_attrs
    if isinstance(number := carried.get(NUMBER), int):
        return number
    return trial.number if {"role", "plan", "schedule"} <= carried.keys() and NUMBER not in carried else None
