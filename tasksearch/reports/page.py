"""`render`: the report as one self-contained HTML page; `write_tables`: its tables as files."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tasksearch.reports.data import ReportData
from tasksearch.reports.section import Section
from tasksearch.reports.sections import SECTIONS
from tasksearch.reports.table import ReportTable
from tasksearch.reports.table_files import to_csv, to_latex

if TYPE_CHECKING:
    from jinja2 import Environment

_NUMBER = re.compile(r"~?[+\-−–]?\d[\d,]*(\.\d+)?( ?%)?( \[.*\])?(\+\d+)?[*•]?|[▲▼?]?[+\-−]\d[\d.,]*( \[.*\])?†?|–")


def render(data: ReportData, *, extra: tuple[Section, ...] = ()) -> str:
    """Render the page; `extra` sections are put before the last one."""
    built = sections_of(data)
    template = _environment().get_template("report.html")
    return template.render(data=data, sections=[*built[:-1], *extra, *built[-1:]])


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tasksearch.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.tests["numeric"] = is_numeric
    environment.filters["csv"] = lambda table: _address("text/csv", to_csv(table))
    environment.filters["latex"] = lambda table: _address("application/x-tex", to_latex(table))
    environment.filters["slug"] = slug_of
    return environment


def sections_of(data: ReportData) -> list[Section]:
    """Return the report's sections, without those that have nothing to say."""
    return [section for build in SECTIONS if (section := build(data)) is not None]


def is_numeric(text: str) -> bool:
    """Return whether a cell reads like a number, with or without an interval."""
    return _NUMBER.fullmatch(text) is not None


def write_tables(data: ReportData, folder: Path) -> list[Path]:
    """Write every table of the report as CSV and LaTeX into the folder; return the files in the order of the page."""
    sections = sections_of(data)
    named = [(folder / f"{section.slug}-{slug_of(table.title)}", table) for section in sections for table in section.tables]
    return [file for place, table in named for file in write_table(table, place)]


def write_table(table: ReportTable, place: Path) -> list[Path]:
    """Write one table as `PLACE.csv` and `PLACE.tex`; return both."""
    from tasksearch.core.atomic import write_atomic

    written = []
    for suffix, text in (("csv", to_csv(table)), ("tex", to_latex(table))):
        written.append(place.with_name(f"{place.name}.{suffix}"))
        write_atomic(written[-1], text.encode())
    return written


def slug_of(title: str) -> str:
    """Return a title as part of a file's name: lower-case ASCII letters, digits and hyphens, at most sixty."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60]


def _address(kind: str, text: str) -> str:
    """Return the text as an address that holds all of it."""
    return f"data:{kind};charset=utf-8;base64,{b64encode(text.encode()).decode()}"
