"""`render`: the report as one self-contained HTML page. Everything but the drawings is escaped."""

from __future__ import annotations

import re
from typing import Any

from tasksearch.reports.data import ReportData
from tasksearch.reports.section import Section
from tasksearch.reports.sections import SECTIONS

_NUMBER = re.compile(r"~?[+\-−–]?\d[\d.,]*( ?%)?( \[.*\])?(\+\d+)?[*•]?|–")


def render(data: ReportData, *, extra: tuple[Section, ...] = ()) -> str:
    """Render the page; `extra` sections are put before the last one."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    built = [section for build in SECTIONS if (section := build(data)) is not None]
    environment = Environment(
        loader=PackageLoader("tasksearch.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["numeric"] = is_numeric
    environment.filters["svg"] = _markup
    return environment.get_template("report.html").render(data=data, sections=[*built[:-1], *extra, *built[-1:]])


def is_numeric(text: str) -> bool:
    """Return whether a cell reads like a number, with or without an interval."""
    return _NUMBER.fullmatch(text) is not None


def _markup(svg: str) -> Any:
    """Mark one of our own drawings as markup; refuse anything else."""
    from markupsafe import Markup

    assert svg.startswith("<svg") and svg.endswith("</svg>") and "<script" not in svg, "a figure is one svg element"
    return Markup(svg)
