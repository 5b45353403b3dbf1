"""Whether a study has ended: once it has, it stays so, whatever a later version would propose beyond that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.records.ledger import Ledger
from tasksearch.search.proposals import searched_of

SINCE = "controls"
"""A field of `study.json` that studies have which an end was written of, or which today's rules of proposing began."""


def has_ended(ledger: Ledger, config: StudyConfig, records: Sequence[TrialRecord]) -> bool:
    """Whether the study, asked for as in `config`, lacked nothing once with these records.

    A study that was begun before ends were written down has ended where its leaders stand on the seeds that were then asked
    for: there were no races, and who leads was told by other rules.
    """
    if ledger.has_ended(config, len(records)):
        return True
    return SINCE in ledger.absent() and ledger.config() == config and _led(config, records)


def _led(config: StudyConfig, records: Sequence[TrialRecord]) -> bool:
    """Whether the search is over and as many mixes as were asked for have all their first fresh seeds."""
    if len(searched_of(config, records)) != config.trials or any(record.status == "running" for record in records):
        return False
    if config.twins or config.controls or (config.untrained and all(record.role != "untrained" for record in records)):
        return False
    judged = {r.plan.mix_signature for r in records if r.role in ("design", "search") and r.objective is not None}
    seeds = Counter(record.plan.mix_signature for record in records if record.role == "finalist")
    return len(seeds) >= min(config.leaders, len(judged)) and all(count >= config.leader_seeds for count in seeds.values())
