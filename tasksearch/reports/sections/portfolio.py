"""Portfolios: few mixes for all languages, and their loss against one mix per language."""

from __future__ import annotations

from tasksearch.reports.data import ReportData
from tasksearch.reports.figures.forest import forest
from tasksearch.reports.figures.scale import LEGEND
from tasksearch.reports.portfolio import portfolio_table, served_table, size_text
from tasksearch.reports.section import Figure, Section, legend_table
from tasksearch.results.portfolio import Portfolios


def section(data: ReportData) -> Section | None:
    """Portfolios of one, two and three mixes; None while there is no verdict."""
    found = data.portfolios
    if found is None:
        return None
    table = portfolio_table(found)
    return Section(
        slug="portfolio",
        title=table.title,
        lead=(_sentence(found),),
        figures=_figures(found),
        tables=(table, legend_table(table), served_table(found)),
    )


def _sentence(found: Portfolios) -> str:
    one = found.chosen[0]
    said = (
        f"One mix for all {found.languages} languages is predicted to gain {one.foreseen:+.1f} points, "
        f"{one.foreseen_loss:.1f} less than one mix per language"
    )
    rest = [f"{size_text(p)} {p.foreseen_loss:.1f} less" for p in found.chosen[1:]]
    return said + (f" ({', '.join(rest)})." if rest else ".")


def _figures(found: Portfolios) -> tuple[Figure, ...]:
    rows = [(size_text(one), one.loss) for one in found.tested if one.loss is not None]
    if not rows:
        return ()
    drawn = forest("Loss against one mix per language", rows, axis="loss, points [95 %]", good=-1)
    examples, seeds = sorted({loss.examples for _, loss in rows}), sorted({loss.seeds for _, loss in rows})
    caption = (
        f"Loss against one mix per language among the re-run mixes: n = {', '.join(map(str, examples))} reporting examples in "
        f"the languages that would change, {', '.join(map(str, seeds))} fresh seeds. Right of zero: something is lost. {LEGEND}"
    )
    return (Figure(drawing=drawn, caption=caption),)
