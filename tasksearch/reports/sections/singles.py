"""Gains of each intermediate task alone, per language and per target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasksearch.reports.data import ReportData, SingleTask
from tasksearch.reports.figures.heat import heat, limit_of
from tasksearch.reports.section import Figure, Section
from tasksearch.reports.table import ReportTable, text_columns
from tasksearch.results.estimate import gain_text
from tasksearch.results.verdict import Estimate, finding_of

_READ = "Blue above the baseline, orange below; ▲ or ▼ where the 95 % interval leaves zero out."


def section(data: ReportData) -> Section | None:
    """Two heat maps over the single-task trials; None where the study trained none."""
    singles = data.singles
    if not singles:
        return None
    languages = sorted({language for single in singles for language in single.by_language})
    targets = sorted({target for single in singles for target in single.by_target})
    columns = labels(singles)
    named = tuple(zip(columns, singles, strict=True))
    by_language = {(language, name): gain for name, s in named for language, gain in s.by_language.items()}
    by_target = {(target, name): gain for name, s in named for target, gain in s.by_target.items()}
    limit = limit_of([*by_language.values(), *by_target.values()])
    outside = sum(finding_of(gain) in ("better", "worse") for gain in (*by_language.values(), *by_target.values()))
    total = len(by_language) + len(by_target)
    return Section(
        slug="singles",
        title="One intermediate task alone",
        lead=(
            "Gain in points over no intermediate phase when all examples of the phase are of one task"
            f"{_steps(singles)}. All single-task trials are shown, chosen or not.",
        ),
        figures=(
            Figure(
                drawing=heat("Gain per task and language", languages, columns, by_language, limit),
                caption=f"By language: mean over targets, then over kinds of target. {_counts(singles, by_language)} {_READ}",
            ),
            Figure(
                drawing=heat("Gain per task and target", targets, columns, by_target, limit),
                caption=f"By target: mean over languages but English. {_counts(singles, by_target)} {_READ}",
            ),
        ),
        tables=(
            _table("By language, with intervals", languages, columns, by_language),
            _table("By target, with intervals", targets, columns, by_target),
        ),
        notes=(
            f"Each interval stands alone: of {total} cells {outside} leave zero out, and about {0.05 * total:.0f} would by "
            "chance if no task had an effect.",
            "On reporting examples, paired with the baseline's; the spread over seeds is pooled over all mixes with several.",
        ),
    )


def labels(singles: Sequence[SingleTask]) -> list[str]:
    """Return a name for each: the task's, with its steps, learning rate and methods where they differ."""
    steps, words = len({single.steps for single in singles}) > 1, len({single.words for single in singles}) > 1
    return [single.task + f" {single.steps}" * steps + single.words * words for single in singles]


def _steps(singles: Sequence[SingleTask]) -> str:
    steps = sorted({single.steps for single in singles})
    return f", {steps[0]} optimiser steps" if len(steps) == 1 else " (name, then optimiser steps)"


def _counts(singles: tuple[SingleTask, ...], cells: Mapping[tuple[str, str], Estimate]) -> str:
    examples = [gain.examples for gain in cells.values()]
    seeds = [len(single.trials) for single in singles]
    return f"n = {_span(examples)} examples a cell, {_span(seeds)} seed{'s' if max(seeds) > 1 else ''} a task."


def _span(numbers: list[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low} to {high}"


def _table(title: str, rows: list[str], columns: list[str], cells: Mapping[tuple[str, str], Estimate]) -> ReportTable:
    told = tuple(
        (row, *(gain_text(cells[row, column]) if (row, column) in cells else "–" for column in columns)) for row in rows
    )
    return ReportTable(title=title, columns=text_columns("", *columns), rows=told, folded=True)
