"""Reproduction: command, settings and versions."""

from __future__ import annotations

import json

from tasksearch.reports.data import ReportData
from tasksearch.reports.section import Section
from tasksearch.reports.table import ReportTable, text_columns

_LEAD_EXTENDED = (
    "This command asks for the study as it is since it was extended; a new one would search all of it from the start:"
)


def section(data: ReportData) -> Section:
    """The command that runs the same study, its settings, and the versions it ran on."""
    versions = tuple((name, value) for name, value in data.versions.items())
    config = data.config
    asked = config.to_json() | {"tracking_uri": None}  # an address may hold a password
    settings = tuple((name, json.dumps(value, ensure_ascii=False)) for name, value in asked.items() if value is not None)
    return Section(
        slug="origin",
        title="Command and versions",
        lead=(_LEAD_EXTENDED if config.widened or config.more_baseline else "This command asks for the same study:",),
        code=data.command,
        tables=(
            ReportTable(title="What the trials ran on", columns=text_columns("", ""), rows=versions),
            ReportTable(title="The study's settings, in full", columns=text_columns("", ""), rows=settings, folded=True),
        ),
        notes=(f"Report made {data.made} from the study's own records.",),
    )
