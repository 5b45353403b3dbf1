"""The trials of the search among a study's records, read once: a driver looks again at every turn of its loop."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field

from tasksearch.core.schedule import Schedule
from tasksearch.core.study import AFTERWARDS, BASELINES, Role, StudyConfig, TrialRecord


@dataclass(kw_only=True)
class SearchSoFar:
    """The search's trials in their order: the baseline's first seeds, designed and sampled trials.

    A trial's *place* among them, not its number, seeds its draw: trials of other roles in between change nothing.

    Attributes:
        records: those trials.
        begun: their mixes.
        pairs: how many of them are arms of matched pairs.
    """

    records: list[TrialRecord] = field(default_factory=list)
    begun: set[Schedule] = field(default_factory=set)
    pairs: int = 0
    _seeds: int = 0

    def add(self, config: StudyConfig, role: Role, record: TrialRecord) -> None:
        """Add the next record; `role` is that of the baseline of the search."""
        if record.role in AFTERWARDS:
            return
        if record.role in BASELINES:
            if record.role != role or self._seeds == config.baseline_seeds:
                return
            self._seeds += 1
        self.records.append(record)
        self.begun.add(record.plan.schedule)
        self.pairs += record.role == "pair"

    def copied(self) -> SearchSoFar:
        """Return a copy that further records can be added to."""
        return SearchSoFar(records=self.records.copy(), begun=self.begun.copy(), pairs=self.pairs, _seeds=self._seeds)


@dataclass(kw_only=True)
class _Kept:
    """Records from the first on that had ended at the last look, and what they come to."""

    config: StudyConfig | None = None
    ended: list[TrialRecord] = field(default_factory=list)
    found: SearchSoFar = field(default_factory=SearchSoFar)


_KEPT = _Kept()


def search_so_far(config: StudyConfig, records: Sequence[TrialRecord]) -> SearchSoFar:
    """Return the search's trials among the records of trials 0, 1, …; not to be changed.

    Records that had ended at the last look, and are the same objects, are not read again.
    """
    kept = _KEPT
    known = len(kept.ended) <= len(records) and all(map(operator.is_, kept.ended, records))
    if not (known and (kept.config is config or kept.config == config)):
        kept.ended, kept.found = [], SearchSoFar()
    kept.config = config
    role = config.search_baseline
    first = len(kept.ended)
    assert [record.number for record in records[first:]] == list(range(first, len(records))), "records have gaps"
    for record in records[first:]:
        if record.status == "running":
            break
        kept.ended.append(record)
        kept.found.add(config, role, record)
    if len(kept.ended) == len(records):
        return kept.found
    found = kept.found.copied()
    for record in records[len(kept.ended) :]:
        found.add(config, role, record)
    return found
