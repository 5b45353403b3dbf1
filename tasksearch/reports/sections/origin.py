"""Where the numbers come from: the command, the settings, the versions."""

from __future__ import annotations

import json

from tasksearch.reports.data import ReportData
from tasksearch.reports.section import ReportTable, Section

_LEAD_EXTENDED = (
    "This command asks for the study as it is since it was extended; a new one would search all of it from the start:"
)


def section(data: ReportData) -> Section:
    """How to ask for the same study again, and what this one ran on."""
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
            ReportTable(title="What the trials ran on", head=("", ""), rows=versions),
            ReportTable(title="The study's settings, in full", head=("", ""), rows=settings, folded=True),
        ),
        notes=(f"Report made {data.made} from the study's own records.",),
    )
