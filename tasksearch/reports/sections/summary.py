"""The decision in a few sentences, with the gain per language and target, and joint or sequential, as pictures."""

from __future__ import annotations

import dataclasses

from tasksearch.reports.data import ReportData
from tasksearch.reports.decision import ADAPTIVE, decision, mix_lines
from tasksearch.reports.figures.heat import heat, limit_of
from tasksearch.reports.section import Figure, Section
from tasksearch.reports.sections.matched_comparison import order_figure
from tasksearch.reports.tables import cell_table, row_name
from tasksearch.results.verdict import Verdict


def section(data: ReportData) -> Section:
    """The decision with its pictures, the size of the study, and the suite's warning."""
    alerts = [data.warning] if data.warning else []
    if data.partial:
        alerts.insert(0, f"Partial: {_state(data)}. What follows is what is known so far.")
    if data.verdict is None:
        return Section(
            slug="verdict",
            title="Decision",
            lead=(data.pending or "There is no verdict yet.", _size(data)),
            alerts=tuple(alerts),
        )
    first, *more = decision(data.verdict, data.order, data.order_pending)
    figures = [_cells(data.verdict)]
    if data.order is not None:
        figures.append(order_figure(data.order, kinds=("language", "group")))
    return Section(
        slug="verdict",
        title="Decision",
        lead=(first, *mix_lines(data.verdict), *more),
        alerts=(*([ADAPTIVE] if data.verdict.adaptive else []), *alerts),
        figures=tuple(figures),
        tables=(dataclasses.replace(cell_table(data.verdict), folded=True, notes=()),),
        notes=(_size(data),),
    )


def _cells(verdict: Verdict) -> Figure:
    """Draw the gain of every row's mix on every target."""
    rows = [row_name(verdict, choice) for choice in verdict.choices]
    targets = list(dict.fromkeys(target.target for choice in verdict.choices for target in choice.targets))
    cells = {(name, "all targets"): choice.gain for name, choice in zip(rows, verdict.choices, strict=True)}
    for name, choice in zip(rows, verdict.choices, strict=True):
        cells |= {(name, target.target): target.gain for target in choice.targets}
    seeds = sorted({f"{choice.seeds}+{choice.baseline_seeds}" for choice in verdict.choices})
    caption = (
        "Points over no intermediate phase, from the chosen mix of each row. Blue and ▲ better, orange and ▼ worse: the "
        f"{100 * verdict.level:g} % interval leaves zero out; no mark: no difference seen; ?: too few seeds or examples. "
        f"Fresh seeds ({', '.join(seeds)}: of the mix + of the baseline), reporting examples (n = "
        f"{min(choice.examples for choice in verdict.choices)} to {max(choice.examples for choice in verdict.choices)} a row)."
    )
    drawing = heat("Gain per language and target", rows, ["all targets", *targets], cells, limit_of([*cells.values()]))
    return Figure(drawing=drawing, caption=caption)


def _size(data: ReportData) -> str:
    plans = len({record.plan.mix_signature for record in data.records})
    failed = sum(record.status == "failed" for record in data.records)
    targets, languages = len(data.config.targets), len(data.languages)
    return (
        f"{plans} mixes in {len(data.records)} trainings ({failed} failed), scored zero-shot on {targets} "
        f"target task{'s' * (targets != 1)} in {languages} language{'s' * (languages != 1)} beside English."
    )


def _state(data: ReportData) -> str:
    finished = sum(record.status != "running" for record in data.records)
    return f"{finished} of up to {data.planned} trainings are finished"
