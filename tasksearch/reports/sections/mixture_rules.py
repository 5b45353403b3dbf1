"""What each task got in the mixes by mixture rules, beside what the rule asks for."""

from __future__ import annotations

from tasksearch.reports.data import ReportData
from tasksearch.reports.section import Section
from tasksearch.reports.table import ReportTable, text_columns
from tasksearch.reports.text import short_mix


def section(data: ReportData) -> Section | None:
    """One table; None where no mix follows a rule."""
    if not data.rule_shares:
        return None
    phase: dict[object, float] = {}
    for share in data.rule_shares:
        phase[share.schedule] = phase.get(share.schedule, 0.0) + share.asked
    rows = tuple(
        (
            short_mix(one.schedule),
            one.task,
            f"{one.size}",
            f"{100 * one.asked / phase[one.schedule]:.1f}",
            f"{one.asked:.1f}",
            f"{one.obtained}",
            f"{one.obtained / one.size:.2f}" if one.size else "–",
        )
        for one in data.rule_shares
    )
    columns = text_columns("mix", "task", "training examples", "asked, %", "asked, examples", "obtained", "passes")
    return Section(
        slug="mixture-rules",
        title="Mixture rules: asked and obtained",
        lead=("Shares by a mixture rule follow from the sizes of the tasks. Examples that are obtained are whole numbers.",),
        tables=(ReportTable(title="Examples asked for and obtained", columns=columns, rows=rows, folded=len(rows) > 12),),
        notes=("Passes: examples obtained per training example of the task; below 1, a part of its data is never shown.",),
    )
