"""The report's sections in their order, one a line: each a function `ReportData -> Section | None`."""

from __future__ import annotations

from collections.abc import Callable

from tasksearch.reports.data import ReportData
from tasksearch.reports.section import Section
from tasksearch.reports.sections import baseline_comparison as comparison
from tasksearch.reports.sections import (
    cautions,
    history,
    mixes,
    mixture_rules,
    origin,
    portfolio,
    schedules,
    singles,
    summary,
    targets,
    transfer,
)
from tasksearch.reports.sections import matched_comparison as order
from tasksearch.reports.sections import reference_scores as references
from tasksearch.reports.sections import task_effects as why

SECTIONS: tuple[Callable[[ReportData], Section | None], ...] = (
    summary.section,
    mixes.section,
    targets.section,
    comparison.section,
    portfolio.section,
    why.section,
    singles.section,
    order.section,
    schedules.section,
    mixture_rules.section,
    transfer.section,
    history.section,
    references.section,
    cautions.section,
    origin.section,
)
