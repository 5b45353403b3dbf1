"""The best mix per language, with its interval."""

from __future__ import annotations

from tasksearch.reports.data import ReportData
from tasksearch.reports.figures.forest import forest
from tasksearch.reports.figures.scale import LEGEND
from tasksearch.reports.section import Figure, Section, legend_table
from tasksearch.reports.table import ReportTable, text_columns
from tasksearch.reports.tables import row_name, target_cells, target_columns, verdict_table
from tasksearch.results.verdict import Verdict


def section(data: ReportData) -> Section | None:
    """A row per language and group; None while there is no verdict."""
    verdict = data.verdict
    if verdict is None:
        return None
    axis = f"gain over no intermediate phase, points [{100 * verdict.level:g} %]"
    rows = [(row_name(verdict, choice), choice.gain) for choice in verdict.choices]
    seeds = sorted({f"{choice.seeds}+{choice.baseline_seeds}" for choice in verdict.choices})
    examples = [choice.examples for choice in verdict.choices]
    caption = (
        f"Gain of each language's chosen mix, from fresh seeds ({', '.join(seeds)}: of the mix + of the baseline) on reporting "
        f"examples (n = {min(examples)} to {max(examples)}). {LEGEND}"
    )
    table = verdict_table(verdict)
    return Section(
        slug="mixes",
        title=table.title,
        figures=(Figure(drawing=forest("Gain of the chosen mix per language", rows, axis=axis), caption=caption),),
        tables=(table, legend_table(table), _targets(verdict)),
        notes=(
            "P(better): that the mix is better than no intermediate phase; P(ahead): than the rule's second choice. Both from "
            "fresh seeds and reporting examples alone.",
            "Over equal exposure: the mix against target phases that alone show as many examples; to be read where data are "
            "the same.",
        ),
    )


def _targets(verdict: Verdict) -> ReportTable:
    return ReportTable(
        title="Language by language and target",
        columns=(*text_columns("", "target"), *target_columns(verdict.level)),
        rows=tuple(
            (row_name(verdict, choice), target.target + " (same data)" * target.same_data, *target_cells(target))
            for choice in verdict.choices
            for target in choice.targets
        ),
        folded=True,
    )
