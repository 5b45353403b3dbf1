"""A study simulated with random results, to forecast its trials before anything runs. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping

from tasksearch.core.signature import seed_from
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.search.proposals import PlanOf, Proposal, propose


def simulated_study(
    config: StudyConfig, sizes: Mapping[str, int], plan_of: PlanOf, groups: Mapping[str, str], draw: int
) -> list[TrialRecord]:
    """Return every trial that the study would run if the objectives of its mixes were standard normal.

    Args:
        config, sizes, plan_of, groups: as for `propose`.
        draw: seed of the simulation.
    """
    records: list[TrialRecord] = []
    while isinstance(found := propose(config, sizes, plan_of, len(records), records, groups), Proposal):
        rng = random.Random(seed_from("outlook", draw, found.plan.mix_signature))
        value = 0.0 if found.role == "baseline" else rng.gauss(0.0, 1.0)
        record = TrialRecord(number=found.number, role=found.role, status="done", plan=found.plan, params=found.params)
        records.append(_judged(record, value))
    return records


def _judged(record: TrialRecord, value: float) -> TrialRecord:
    import dataclasses

    return dataclasses.replace(record, objective=value)
