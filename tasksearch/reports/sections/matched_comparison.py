"""The answer to joint or sequential, from the matched pairs that the study trained."""

from __future__ import annotations

from collections.abc import Sequence

from tasksearch.reports.data import ReportData
from tasksearch.reports.figures.forest import forest
from tasksearch.reports.matched_comparison import choosing_table, closing_lines, matched_table
from tasksearch.reports.section import Figure, Section
from tasksearch.results.matched_comparison import MatchedComparison


def section(data: ReportData) -> Section | None:
    """Verdict, effect of order per language, group and target, effect of choosing; None without matched pairs."""
    answer = data.order
    if answer is None:
        title = "Joint or sequential: the answer"
        return Section(slug="order", title=title, lead=(data.order_pending,)) if data.order_pending else None
    adaptive = ("Adaptive: other matched pairs had been read on these examples before; these numbers may flatter.",)
    return Section(
        slug="order",
        title="Joint or sequential: the answer",
        lead=tuple(closing_lines(answer)[::-1]),
        alerts=adaptive if answer.adaptive else (),
        figures=(order_figure(answer),),
        tables=(matched_table(answer), *(choosing_table(choosing) for choosing in answer.choosing)),
    )


def order_figure(answer: MatchedComparison, *, kinds: Sequence[str] = ("language", "group", "target")) -> Figure:
    """Draw joint minus sequential in the rows of these kinds."""
    main = answer.main
    rows = [(row.name, row.difference) for row in answer.contrasts[0].rows if row.kind in kinds]
    drawn = forest("Matched pairs: joint minus sequential", rows, axis="joint − sequential, points [95 %]", good=0)
    caption = (
        f"Right of zero: joint was better. n = {main.examples} examples over all languages, {main.mixtures} mixtures, "
        f"{main.seeds} seed{'s' if main.seeds != 1 else ''} each."
    )
    return Figure(drawing=drawn, caption=caption)
