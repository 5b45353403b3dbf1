"""Extended studies: find the cells that earlier trials lack, and combine records with what was added to them; pure functions.

A record is never rewritten. What a trial gains later is an *addition*: a separate record of the same number, role and seed,
whose plan has only the new cells. Readers see both as one record, under the study's current plan.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import product

from tasksearch.core.plan import Plan
from tasksearch.core.score import ScoreTable
from tasksearch.core.study import BASELINES, StudyConfig, TrialRecord
from tasksearch.core.target_settings import with_own

Additions = Mapping[int, Sequence[TrialRecord]]
"""Trial number → its additions, in order."""


def lacking(records: Sequence[TrialRecord], additions: Additions, config: StudyConfig) -> list[TrialRecord]:
    """Return the additions still to run, as running records.

    These are new additions to finished trials that lack some of the study's cells, and additions that failed or were
    interrupted. Trials that failed or were stopped get none.

    Args:
        records: records as written.
        additions: additions as written.
        config: current configuration of the study.
    """
    wanted = []
    for record in records:
        if record.status != "done":
            continue
        own = additions.get(record.number, ())
        again = [one for one in own if one.status in ("running", "failed")]
        wanted += [dataclasses.replace(one, status="running", cause=None, ended=None) for one in again]
        first = 1 + max((one.addition for one in own), default=0)
        for index, plan in enumerate(_missing(record, own, config), first):
            fresh = TrialRecord(number=record.number, role=record.role, status="running", plan=plan, addition=index)
            wanted.append(dataclasses.replace(fresh, params=record.params))
    return wanted


def _missing(record: TrialRecord, own: Sequence[TrialRecord], config: StudyConfig) -> list[Plan]:
    """Return plans for the cells that neither the record nor its additions have, one plan per set of languages."""
    there = {pair for one in (record, *own) for pair in product(one.plan.targets, one.plan.languages)}
    by_languages: dict[tuple[str, ...], list[str]] = {}
    for target in config.targets:
        languages = tuple(language for language in config.languages if (target, language) not in there)
        if languages:
            by_languages.setdefault(languages, []).append(target)
    return [
        dataclasses.replace(_now(record.plan, config), targets=tuple(targets), languages=languages)
        for languages, targets in by_languages.items()
    ]


def asked(records: Sequence[TrialRecord], config: StudyConfig) -> list[TrialRecord]:
    """Return the records under the study's current plan, with their original scores: this is what the search sees.

    Scores that a trial gained later are left out, so that extending a study changes no proposal.
    """
    return _alike([dataclasses.replace(record, plan=_now(record.plan, config)) for record in records])


def grown(records: Sequence[TrialRecord], additions: Additions, config: StudyConfig) -> list[TrialRecord]:
    """Return the records combined with their additions, under the study's current plan: this is what readers see."""
    return _alike([joined(record, additions.get(record.number, ()), config) for record in records])


def joined(record: TrialRecord, own: Sequence[TrialRecord], config: StudyConfig) -> TrialRecord:
    """Combine one record with its finished additions."""
    scores, seconds = record.scores, dict(record.seconds)
    for one in (one for one in own if one.status == "done"):
        there = {(s.target, s.language) for s in scores}
        scores = ScoreTable.of([*scores, *(s for s in one.scores if (s.target, s.language) not in there)])
        for kind, spent in one.seconds:
            seconds[kind] = seconds.get(kind, 0.0) + spent
    plan = _now(record.plan, config)
    return dataclasses.replace(record, plan=plan, scores=scores, seconds=tuple(sorted(seconds.items())))


def _now(plan: Plan, config: StudyConfig) -> Plan:
    own = with_own(plan.settings.target_overrides, config.overrides.joined)
    settings = dataclasses.replace(plan.settings, target_overrides=own) if config.overrides.joined else plan.settings
    return dataclasses.replace(plan, targets=config.targets, languages=config.languages, settings=settings)


def _alike(records: list[TrialRecord]) -> list[TrialRecord]:
    """Remove cells that some seed of a baseline lacks from all its seeds: no gain can be computed for them yet."""
    for role in BASELINES:
        records = _alike_in(records, role)
    return records


def _alike_in(records: list[TrialRecord], role: str) -> list[TrialRecord]:
    seeds = [r.number for r in records if r.role == role and r.status == "done"]
    tables = [{(s.target, s.language) for s in r.scores} for r in records if r.number in seeds]
    common = set.intersection(*tables) if tables else set()
    if all(table == common for table in tables):
        return records
    return [_within(r, common) if r.number in seeds else r for r in records]


def _within(record: TrialRecord, cells: set[tuple[str, str]]) -> TrialRecord:
    return dataclasses.replace(record, scores=ScoreTable.of(s for s in record.scores if (s.target, s.language) in cells))
