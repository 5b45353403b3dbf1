"""History of the search: objective and cost of every trial."""

from __future__ import annotations

from collections import Counter

from tasksearch.core.study import TrialRecord
from tasksearch.reports.data import ReportData
from tasksearch.reports.figures.history import best_so_far, history
from tasksearch.reports.section import Figure, Section
from tasksearch.reports.table import ReportTable, text_columns
from tasksearch.reports.tables import trial_table

LOCAL = "http://127.0.0.1:5000"
"""Where `tasksearch ui STUDY --port 5000` serves the MLflow page of a study that keeps its runs in its folder."""
LINKED = "The trials' numbers lead to their MLflow runs; the links open while `tasksearch ui STUDY --port 5000` runs."


def section(data: ReportData) -> Section:
    """Objective and seconds of every trial; the trials as a table."""
    count = Counter(str(record.role) for record in data.records)
    roles = ", ".join(f"{number} {role}" for role, number in count.items())
    best = best_so_far(data.records)
    reached = f" The best of the search ({best[-1][1]:+.2f}) was reached at trial {_first(best)}." if best else ""
    drawn = history("Objective and cost of every trial", data.records)
    return Section(
        slug="history",
        title="Search history and cost",
        lead=(f"{len(data.records)} trainings: {roles}. {_cost(data.records)}{reached}",),
        figures=(
            Figure(
                drawing=drawn,
                caption="Above: objective of every trial, one seed each, on selection examples: it selects and "
                "reports nothing. Below: seconds from start to end; concurrent trials shared the machine.",
            ),
        ),
        notes=(LINKED,) if any(link.startswith(LOCAL) for link in data.run_links.values()) else (),
        tables=(_parts(data.records), trial_table(data.records, folded=True, links=data.run_links)),
    )


def _first(best: list[tuple[int, float]]) -> int:
    return next(number for number, value in best if value == best[-1][1])


def _cost(records: tuple[TrialRecord, ...]) -> str:
    ended = [record for record in records if record.ended is not None]
    if not ended:
        return "None has ended yet."
    busy = sum((record.ended or 0.0) - record.started for record in ended)
    return f"Together they took {_time(busy)} of training time."


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _parts(records: tuple[TrialRecord, ...]) -> ReportTable:
    total: dict[str, float] = {}
    for record in records:
        for part, seconds in record.seconds:
            total[part] = total.get(part, 0.0) + seconds
    rows = tuple((part, _time(seconds)) for part, seconds in sorted(total.items(), key=lambda item: -item[1]))
    return ReportTable(
        title="Where the time went, all trials together", columns=text_columns("part", "time"), rows=rows, folded=True
    )
