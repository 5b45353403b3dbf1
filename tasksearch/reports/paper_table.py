"""A `PaperTable` as text: scores of the baseline, gains of every intermediate task, and the published figures beside them."""

from __future__ import annotations

from collections.abc import Mapping

from tasksearch.reports.table import Column, ReportTable
from tasksearch.reports.text import score_text
from tasksearch.results.estimate import Estimate, gain_text
from tasksearch.results.paper_table import AVERAGE, PaperTable

SAME = "*"
"""Mark of a gain on a target whose own training data the intermediate phase holds."""
NOT_READ = ""


def paper_report(table: PaperTable) -> ReportTable:
    """Return the paper's layout; a cell that nobody read in the paper is empty, one that the study lacks is a dash."""
    names = (*table.targets, AVERAGE)
    published = bool(table.published_average or table.published)
    columns = [Column(name="intermediate", wrap=True), Column(name="seeds", number=True)]
    columns += [Column(name=name, number=True) for name in names] + [Column(name="published", number=True)] * published
    end = (NOT_READ,) * published

    def scores(name: str, cells: Mapping[str, str], seeds: str, beside: tuple[str, ...] = end) -> tuple[str, ...]:
        return (name, seeds, *(cells[each] for each in names), *beside)

    none = {name: score_text(table.baseline[name]) for name in names}
    blocks = [[scores("none (score)", none, str(table.baseline_seeds))]]
    blocks.append(
        [
            scores(row.name, {name: _gain(row.gains.get(name), same=name in row.same_data) for name in names}, str(row.seeds),
                   _average(table, row.name) if published else ())
            for row in table.rows
        ]
    )  # fmt: skip
    blocks.append(
        [
            scores(f"{row.name}, over equal exposure", {name: _beside(row.over_exposure.get(name), name in row.same_data)
                                                        for name in names}, str(row.seeds))
            for row in table.rows
            if row.same_data
        ]
    )  # fmt: skip
    blocks.append(
        [
            scores(
                f"published: {row.name} (score)", {n: f"{row.cells[n]:.1f}" if n in row.cells else NOT_READ for n in names}, ""
            )
            for row in table.published
        ]
    )
    rows = [row for block in blocks for row in block]
    ends = [sum(map(len, blocks[: place + 1])) - 1 for place in range(len(blocks) - 1) if blocks[place]]
    return ReportTable(
        title=f"{table.study} in the layout of Phang et al. 2020",
        columns=tuple(columns),
        rows=tuple(rows),
        ends=frozenset(ends) - {len(rows) - 1},
        notes=_notes(table),
        warning=table.warning,
        stub=2,
    )


def _gain(gain: Estimate | None, *, same: bool) -> str:
    return "–" if gain is None else gain_text(gain) + SAME * same


def _beside(gain: Estimate | None, same: bool) -> str:
    return _gain(gain, same=True) if same else ""


def _average(table: PaperTable, name: str) -> tuple[str]:
    return (f"{table.published_average[name][0]:+.1f}" if name in table.published_average else NOT_READ,)


def _notes(table: PaperTable) -> tuple[str, ...]:
    notes = [
        "Gains over the first row in points, on reporting examples: mean over a target's languages, English included; the "
        "average weighs targets evenly. Nothing was selected for this table.",
    ]
    if any(row.same_data for row in table.rows):
        notes.append(
            f"{SAME} the intermediate phase holds the target's own training data; over equal exposure: the gain over target "
            "phases that are longer by as many examples (a dash: no such control was trained, see --controls exposure)."
        )
    if table.missing:
        notes.append(f"Not finished: {', '.join(table.missing)}.")
    if table.published_average:
        told = dict.fromkeys(source for _, source in table.published_average.values())
        notes.append(f"published: average gain on the development sets, from {'; '.join(told)}; empty: not read.")
    notes += [f"{row.name}: {row.source}." for row in table.published]
    return (*notes, *(f"Published: {claim}." for claim in table.claims))
