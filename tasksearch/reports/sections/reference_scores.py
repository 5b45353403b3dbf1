"""What every mix is measured against: chance, an untrained encoder, and the baseline without an intermediate phase."""

from __future__ import annotations

from tasksearch.reports.data import ReportData
from tasksearch.reports.reference_scores import language_table, reference_table
from tasksearch.reports.section import Section


def section(data: ReportData) -> Section | None:
    """A row per target; by language, folded. None while no baseline is done."""
    if not data.references:
        return None
    table = reference_table(data.references)
    return Section(slug="references", title=table.title, tables=(table, language_table(data.references)))
