"""The selection rules side by side: pivot-dev, english-dev, target-dev, and the oracle that reads what it should not."""

from __future__ import annotations

import statistics

from tasksearch.analysis.study_analysis import AnalysisRow, StudyAnalysis, as_rule
from tasksearch.core.errors import StudyNotReady
from tasksearch.results.selection_rules import MIN_SELECT, ORACLE, RulePick, RuleRow, RuleTable
from tasksearch.results.verdict import RULES


def rule_table(reading: StudyAnalysis) -> RuleTable:
    """Every rule's choice for every row, with its gain and its regret against the oracle."""
    rows = tuple(_row(reading, row) for row in reading.rows())
    regrets = []
    for rule in RULES:
        found = [p.regret for row in rows if not row.is_group for p in row.picks if p.rule == rule and p.regret is not None]
        if found:
            regrets.append((rule, statistics.fmean(found)))
    return RuleTable(rows=rows, regrets=tuple(regrets), small=small_sets(reading), least=MIN_SELECT)


def small_sets(reading: StudyAnalysis) -> tuple[str, ...]:
    """Cells that are reported and have fewer selection examples than a choice needs, or none at all."""
    sizes = reading.evidence.dev_examples
    return tuple("/".join(cell) for cell in reading.evidence.cells if sizes.get(cell, 0) < MIN_SELECT)


def _row(reading: StudyAnalysis, row: AnalysisRow) -> RuleRow:
    gains = [reading.gain(candidate, row) for candidate in reading.evidence.candidates]
    best = max(range(len(gains)), key=lambda i: (gains[i].value, -i))
    picks = []
    for rule in RULES:
        try:
            ranking = reading.rank(row, as_rule(rule))
        except StudyNotReady:
            picks.append(RulePick(rule=rule, applied="none", schedule=None, gain=None, regret=None))
            continue
        place = reading.evidence.candidates.index(ranking.candidates[0])
        picks.append(
            RulePick(
                rule=rule,
                applied=ranking.rule,
                schedule=ranking.candidates[0].first.plan.schedule,
                gain=gains[place],
                regret=gains[best].value - gains[place].value,
            )
        )
    schedule = reading.evidence.candidates[best].first.plan.schedule
    picks.append(RulePick(rule=ORACLE, applied=ORACLE, schedule=schedule, gain=gains[best], regret=0.0))
    return RuleRow(name=row.name, is_group=row.is_group, picks=tuple(picks))
