"""The answer to joint or sequential, from the twins that the study was asked for."""

from __future__ import annotations

from tasksearch.reports.data import ReportData
from tasksearch.reports.figures.forest import LEGEND, forest
from tasksearch.reports.matched_comparison import (
    choosing_notes,
    closing_lines,
    column_of,
    detectable_text,
    difference_text,
    matched_notes,
)
from tasksearch.reports.section import Figure, ReportTable, Section
from tasksearch.reports.tables import gain_text
from tasksearch.results.matched_comparison import MatchedComparison


def section(data: ReportData) -> Section | None:
    """Verdict, effect of order per language, group and target, effect of choosing; absent without twins."""
    answer = data.order
    if answer is None:
        title = "Joint or sequential: the answer"
        return Section(slug="order", title=title, lead=(data.order_pending,)) if data.order_pending else None
    adaptive = ("Adaptive: other twins had been read on these examples before; these numbers may flatter.",)
    return Section(
        slug="order",
        title="Joint or sequential: the answer",
        lead=tuple(closing_lines(answer)[::-1]),
        alerts=adaptive if answer.adaptive else (),
        figures=(_figure(answer),),
        tables=(_effect(answer), *_choosing(answer)),
        notes=(*matched_notes(answer), *(note for choosing in answer.choosing for note in choosing_notes(choosing))),
    )


def _figure(answer: MatchedComparison) -> Figure:
    main = answer.main
    rows = [(row.name, row.difference) for row in answer.contrasts[0].rows]
    drawn = forest("order", "Twins: joint minus sequential", rows, axis="joint − sequential, points [95 %]")
    caption = (
        f"Right of zero: joint was better. n = {main.examples} examples over all languages, {main.mixtures} mixtures, "
        f"{main.seeds} seeds each. {LEGEND}"
    )
    return Figure(svg=drawn, caption=caption)


def _effect(answer: MatchedComparison) -> ReportTable:
    rows = tuple(
        (
            row.name,
            row.kind,
            *(difference_text(contrast.row(row.name, row.kind)) for contrast in answer.contrasts),
            detectable_text(row.difference),
            f"{row.difference.examples}",
            f"{row.difference.mixtures}",
            f"{row.difference.seeds}",
        )
        for row in answer.contrasts[0].rows
    )
    head = ("", "", *(column_of(contrast) for contrast in answer.contrasts), "seen at 80 %", "n", "mixtures", "seeds")
    return ReportTable(title="Effect of order at equal budget, points", head=head, rows=rows)


def _choosing(answer: MatchedComparison) -> tuple[ReportTable, ...]:
    return tuple(
        ReportTable(
            title=f"Effect of being allowed to choose: best of {choosing.tried} joint − best of {choosing.tried} sequential",
            head=("", "", "difference [95 %]", "n", "seeds"),
            rows=tuple(
                (row.name, row.kind, gain_text(row.difference), f"{row.difference.examples}", f"{choosing.seeds}")
                for row in choosing.rows
            ),
        )
        for choosing in answer.choosing
    )
