"""Whether a study has ended. An ended study stays so, even if a later version would propose further trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tasksearch.core.study import SEARCHED, StudyConfig, TrialRecord
from tasksearch.records.ledger import Ledger
from tasksearch.search.search_so_far import search_so_far

SINCE = "controls"
"""Field of `study.json` whose absence marks a study begun by a version that did not record a study's end."""


def has_ended(ledger: Ledger, config: StudyConfig, records: Sequence[TrialRecord]) -> bool:
    """Return whether the study, with this configuration and these records, has ended.

    A study from a version that did not record the end counts as ended once its finalists have all the seeds that were asked
    for. Today's rules would not tell: that version had no races, and selected finalists by other rules.
    """
    if ledger.has_ended(config, len(records)):
        return True
    return SINCE in ledger.absent() and ledger.config() == config and _led(config, records)


def _led(config: StudyConfig, records: Sequence[TrialRecord]) -> bool:
    """Return whether the search is over and as many mixes as were asked for have all their first fresh seeds."""
    if len(search_so_far(config, records).records) != config.trials or any(record.status == "running" for record in records):
        return False
    if config.twins or config.every_control or (config.untrained and all(record.role != "untrained" for record in records)):
        return False
    judged = {r.plan.mix_signature for r in records if r.role in SEARCHED and r.objective is not None}
    seeds = Counter(record.plan.mix_signature for record in records if record.role == "finalist")
    return len(seeds) >= min(config.leaders, len(judged)) and all(count >= config.leader_seeds for count in seeds.values())
