"""The search's pick beside the free baselines: was the search worth its cost?"""

from __future__ import annotations

from tasksearch.reports.baseline_comparison import baseline_table
from tasksearch.reports.data import ReportData
from tasksearch.reports.figures.forest import forest
from tasksearch.reports.figures.scale import LEGEND
from tasksearch.reports.section import Figure, Section


def section(data: ReportData) -> Section | None:
    """The free baselines with their gains, and the search's pick; None while there is no verdict."""
    comparison = data.verdict.baseline_comparison if data.verdict else None
    if comparison is None:
        return None
    drawn = [("the search's mix", comparison.gain)] + [(entry.name, entry.gain) for entry in comparison.entries if entry.gain]
    seeds = sorted({gain.seeds for _, gain in drawn})
    caption = (
        f"Gain over no intermediate phase, {comparison.row}: n = {comparison.gain.examples} reporting examples, "
        f"{', '.join(map(str, seeds))} fresh seeds. {LEGEND}"
    )
    table = baseline_table(comparison)
    drawing = forest(table.title, drawn, axis="gain, points [95 %]")
    return Section(
        slug="baselines",
        title=table.title,
        lead=(comparison.sentence,),
        figures=(Figure(drawing=drawing, caption=caption),),
        tables=(table,),
        notes=("Free baseline: a mix that needs no search, such as all tasks jointly in equal shares.",),
    )
