"""Fidelity: the share of the target steps that a training ran. Scores of different shares are never compared.

In a study with `--search-target-steps` below 1 trials of the search are short, and so is the baseline that their gains are
measured against; finalists and controls run all steps, and are measured against a baseline that does too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from tasksearch.core.errors import BadInput
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import StudyConfig, TrialRecord

PlanOf = Callable[[Schedule, int], Plan]


def searching(config: StudyConfig, plan_of: PlanOf) -> PlanOf:
    """Return (schedule, seed) → plan of a trial of the search."""
    if not config.is_short:
        return plan_of
    return lambda schedule, seed: dataclasses.replace(plan_of(schedule, seed), target_share=config.search_target_steps)


def at_share(records: Iterable[TrialRecord], share: float) -> list[TrialRecord]:
    """Return the trainings that ran this share of the target steps."""
    return [record for record in records if record.plan.target_share == share]


def share_of(records: Iterable[TrialRecord]) -> float:
    """Return the share of the target steps that all of these trainings ran; 1 where there are none.

    Raises:
        BadInput: they differ.
    """
    shares = sorted({record.plan.target_share for record in records})
    if len(shares) > 1:
        told = ", ".join(f"{share:g}" for share in shares)
        raise BadInput(f"trainings with {told} of the target steps are to be compared; expected the same share of all")
    return shares[0] if shares else 1.0


def baseline_of_search(records: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Return the baseline's trainings that trials of the search are measured against: the short ones where there are any."""
    found: dict[str, list[TrialRecord]] = {"baseline": [], "short-baseline": []}
    for record in records:
        if record.role in found:
            found[record.role].append(record)
    return found["short-baseline"] or found["baseline"]
