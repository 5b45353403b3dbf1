"""The report's sections in their order, one a line: each a function `ReportData -> Section | None`."""

from __future__ import annotations

from collections.abc import Callable

from tasksearch.reports.data import ReportData
from tasksearch.reports.section import Section
from tasksearch.reports.sections import (
    cautions,
    court,
    floors,
    history,
    mixes,
    order,
    origin,
    portfolio,
    schedules,
    singles,
    summary,
    targets,
    why,
)

SECTIONS: tuple[Callable[[ReportData], Section | None], ...] = (
    summary.section,
    mixes.section,
    targets.section,
    court.section,
    portfolio.section,
    why.section,
    singles.section,
    order.section,
    schedules.section,
    history.section,
    floors.section,
    cautions.section,
    origin.section,
)
