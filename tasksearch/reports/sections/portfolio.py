"""Few mixes for all languages together, and what they lose against one mix per language."""

from __future__ import annotations

from tasksearch.reports.data import ReportData
from tasksearch.reports.figures.forest import LEGEND, forest
from tasksearch.reports.portfolio import (
    foreseen_text,
    members_text,
    mixes_of,
    portfolio_letters,
    portfolio_notes,
    size_text,
    tested_text,
)
from tasksearch.reports.section import Figure, ReportTable, Section
from tasksearch.reports.tables import short_mix
from tasksearch.results.portfolio import Portfolio, Portfolios


def section(data: ReportData) -> Section | None:
    """Portfolios of one, two and three mixes; absent while there is no verdict."""
    found = data.portfolios
    if found is None:
        return None
    return Section(
        slug="portfolio",
        title="Few mixes for all languages",
        lead=(_sentence(found),),
        figures=_figures(found),
        tables=(_sizes(found), _mixes(found), _served(found)),
        notes=tuple(portfolio_notes(found)),
    )


def _sentence(found: Portfolios) -> str:
    one = found.chosen[0]
    said = (
        f"Nobody keeps {found.languages} models: one mix for all languages is foreseen to gain {one.foreseen:+.1f} points, "
        f"{one.foreseen_loss:.1f} less than one mix per language"
    )
    rest = [f"{size_text(p)} {p.foreseen_loss:.1f} less" for p in found.chosen[1:]]
    return said + (f" ({', '.join(rest)})." if rest else ".")


def _figures(found: Portfolios) -> tuple[Figure, ...]:
    rows = [(size_text(one), one.loss) for one in found.tested if one.loss is not None]
    if not rows:
        return ()
    drawn = forest("portfolio", "Loss against one mix per language", rows, axis="loss, points [95 %]")
    examples, seeds = sorted({loss.examples for _, loss in rows}), sorted({loss.seeds for _, loss in rows})
    caption = (
        f"Loss against one mix per language among the re-run mixes: n = {', '.join(map(str, examples))} reporting examples in "
        f"the languages that would change, {', '.join(map(str, seeds))} fresh seeds. Right of zero: something is lost. {LEGEND}"
    )
    return (Figure(svg=drawn, caption=caption),)


def _sizes(found: Portfolios) -> ReportTable:
    letters = portfolio_letters(found)

    def row(one: Portfolio, texts: tuple[str, str]) -> tuple[str, ...]:
        return (size_text(one), one.among, members_text(one, letters), *texts)

    rows = [row(one, foreseen_text(one)) for one in found.chosen] + [row(one, tested_text(one)) for one in found.tested]
    head = ("", "chosen among", "mixes: languages", "gain [95 %]", "loss against one per language [95 %]")
    return ReportTable(title="Portfolios", head=head, rows=tuple(rows))


def _mixes(found: Portfolios) -> ReportTable:
    letters = portfolio_letters(found)
    rows = tuple((letters[signature], short_mix(schedule)) for signature, schedule in mixes_of(found).items())
    return ReportTable(title="The mixes of the portfolios", head=("", "schedule"), rows=rows)


def _served(found: Portfolios) -> ReportTable:
    letters = portfolio_letters(found)
    rows = tuple(
        (size_text(one), one.among, letters[member.mix_signature], ", ".join(member.languages))
        for one in (*found.chosen, *found.tested)
        for member in one.members
    )
    return ReportTable(
        title="Which language takes which", head=("", "chosen among", "mix", "languages"), rows=rows, folded=True
    )
