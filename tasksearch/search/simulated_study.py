"""A study as it might come to be: its proposals under results drawn at random, for a look at it before anything runs. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping

from tasksearch.core.signature import seed_from
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.search.proposals import PlanOf, Proposal, propose


def drawn_study(
    config: StudyConfig, sizes: Mapping[str, int], plan_of: PlanOf, groups: Mapping[str, str], draw: int
) -> list[TrialRecord]:
    """Every trial that the study would run, were the objectives of its mixes drawn from a normal distribution.

    Args:
        draw: which draw; equal draws are equal.
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
