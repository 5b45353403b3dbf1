"""Joint against sequential: from matched pairs where there are any, else the best of each kind, which is no effect."""

from __future__ import annotations

from tasksearch.reports.data import MatchedPair, ReportData
from tasksearch.reports.figures.forest import forest
from tasksearch.reports.section import Figure, Section
from tasksearch.reports.table import ReportTable, text_columns
from tasksearch.reports.text import short_mix
from tasksearch.results.estimate import gain_text

MOST_DRAWN = 20
"""Pairs in the figure: the first ones, so that none is selected by its size."""


def section(data: ReportData) -> Section | None:
    """Matched pairs first; then the best of each kind of schedule. None while neither is known."""
    if not data.pairs and len(data.bests) < 2:
        return None
    lead = []
    if data.pairs:
        lead.append(
            "Matched pairs: two mixes of equal tasks, shares, steps and seed that differ only in the order of examples. Their "
            "difference is the effect of order."
        )
    elif data.order is not None:
        lead.append(
            "The arms of this study's matched pairs differ in more than the order of examples (their learning rate): no pair "
            "here tells the effect of order alone."
        )
    else:
        lead.append(
            "This study trained no matched pairs (mixes that differ only in the order of examples): it cannot tell the effect "
            "of order."
        )
    return Section(
        slug="schedules",
        title="Joint against sequential",
        lead=tuple(lead),
        figures=_figures(data.pairs),
        tables=tuple(table for table in (_pairs(data.pairs), _bests(data)) if table is not None),
        notes=(
            "Best of each: the trial with the highest objective of its kind (selection examples, one seed, baseline "
            "deviations): a maximum, so biased upwards, the more so the more mixes of the kind were trained. The rows do "
            "not compare the effects of schedules. Reporting examples are read for the verdict's mixes alone.",
        ),
    )


def _figures(pairs: tuple[MatchedPair, ...]) -> tuple[Figure, ...]:
    if not pairs:
        return ()
    shown = pairs[:MOST_DRAWN]
    rows = [(f"{pair.other.kind} {place}", pair.difference) for place, pair in enumerate(shown, 1)]
    rows += [(f"· {target}", gain) for target, gain in pairs[0].by_target.items()] if len(pairs) == 1 else []
    drawn = forest("Matched pairs: other order minus joint", rows, axis="other order − joint, points [95 %]", good=0)
    examples = sorted({pair.difference.examples for pair in pairs})
    seeds = sorted({len(pair.seeds) for pair in pairs})
    counted = (
        f"n = {', '.join(map(str, examples))} examples, {', '.join(map(str, seeds))} seed{'' if seeds == [1] else 's'} each"
    )
    left = f"The first {len(shown)} of {len(pairs)} pairs in the order of their trials; the table has all. "
    caption = f"{left if len(shown) < len(pairs) else ''}Right of zero: the other order was better than joint. {counted}."
    return (Figure(drawing=drawn, caption=caption),)


def _pairs(pairs: tuple[MatchedPair, ...]) -> ReportTable | None:
    if not pairs:
        return None
    targets = sorted({target for pair in pairs for target in pair.by_target})
    rows = tuple(
        (
            f"{pair.other.kind} {place}",
            short_mix(pair.joint),
            " → ".join(pair.other.order),
            gain_text(pair.difference),
            f"{pair.difference.examples}",
            f"{len(pair.seeds)}",
            *(gain_text(pair.by_target[target]) if target in pair.by_target else "–" for target in targets),
        )
        for place, pair in enumerate(pairs, 1)
    )
    columns = text_columns("", "joint", "order of the other", "difference [95 %]", "n", "seeds", *targets)
    title = f"Matched pairs: other order − joint, points ({len(pairs)} pairs)"
    return ReportTable(title=title, columns=columns, rows=rows, folded=len(pairs) > MOST_DRAWN)


def _bests(data: ReportData) -> ReportTable | None:
    if not data.bests:
        return None
    rows = tuple(
        (
            best.kind,
            f"{best.tried}",
            f"{best.trial}",
            short_mix(best.schedule),
            f"{best.objective:+.2f}",
        )
        for best in data.bests
    )
    columns = text_columns("kind", "mixes", "trial", "best of them", "objective")
    return ReportTable(title="Best of each kind (no effect)", columns=columns, rows=rows)
