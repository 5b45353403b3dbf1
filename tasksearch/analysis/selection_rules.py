"""The selection rules side by side: pivot-dev, english-dev, target-dev, and an oracle that reads the reporting examples."""

from __future__ import annotations

import statistics

from tasksearch.analysis.study_analysis import AnalysisRow, StudyAnalysis, as_rule
from tasksearch.core.errors import StudyNotReady
from tasksearch.results.selection_rules import MIN_SELECT, ORACLE, RulePick, RuleRow, RuleTable
from tasksearch.results.verdict import RULES


def rule_table(analysis: StudyAnalysis) -> RuleTable:
    """Return every rule's choice for every row, with its gain and its regret against the oracle."""
    rows = tuple(_row(analysis, row) for row in analysis.rows())
    regrets = []
    for rule in RULES:
        found = [p.regret for row in rows if not row.is_group for p in row.picks if p.rule == rule and p.regret is not None]
        if found:
            regrets.append((rule, statistics.fmean(found)))
    return RuleTable(rows=rows, regrets=tuple(regrets), small=small_sets(analysis), least=MIN_SELECT)


def small_sets(analysis: StudyAnalysis) -> tuple[str, ...]:
    """Return the reported cells with fewer than `MIN_SELECT` selection examples, or none at all, as "target/language"."""
    sizes = analysis.evidence.dev_examples
    return tuple("/".join(cell) for cell in analysis.evidence.cells if sizes.get(cell, 0) < MIN_SELECT)


def _row(analysis: StudyAnalysis, row: AnalysisRow) -> RuleRow:
    gains = [analysis.gain(candidate, row) for candidate in analysis.evidence.candidates]
    best = max(range(len(gains)), key=lambda i: (gains[i].value, -i))
    picks = []
    for rule in RULES:
        try:
            ranking = analysis.rank(row, as_rule(rule))
        except StudyNotReady:
            picks.append(RulePick(rule=rule, applied="none", schedule=None, gain=None, regret=None))
            continue
        place = analysis.evidence.candidates.index(ranking.candidates[0])
        picks.append(
            RulePick(
                rule=rule,
                applied=ranking.rule,
                schedule=ranking.candidates[0].first.plan.schedule,
                gain=gains[place],
                regret=gains[best].value - gains[place].value,
            )
        )
    schedule = analysis.evidence.candidates[best].first.plan.schedule
    picks.append(RulePick(rule=ORACLE, applied=ORACLE, schedule=schedule, gain=gains[best], regret=0.0))
    return RuleRow(name=row.name, is_group=row.is_group, picks=tuple(picks))
