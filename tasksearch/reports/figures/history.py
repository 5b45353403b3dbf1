"""The search as it went: the objective of every trial with the best so far, and what each trial cost."""

from __future__ import annotations

from collections.abc import Sequence

from tasksearch.core.study import TrialRecord
from tasksearch.reports.figures.style import BLUE, GREEN, INK, LINE, MUTED, ORANGE, canvas, to_svg

ROLES = {
    "baseline": (MUTED, "x", "baseline"),
    "design": (GREEN, "s", "designed"),
    "search": (BLUE, "o", "sampled"),
    "finalist": (ORANGE, "^", "leader, fresh seed"),
    "control": (INK, "+", "control, fresh seed"),
}
"""Role → colour, marker, word. A role that is not here is not drawn."""


def history(slug: str, title: str, records: Sequence[TrialRecord]) -> str:
    """An SVG with two panels over the trials' numbers: objective, and the seconds each took."""
    judged = [record for record in records if record.objective is not None and str(record.role) in ROLES]
    with canvas(3.4, rows=2, ratios=(2.2, 1)) as (figure, (upper, lower)):
        for role, (colour, marker, word) in ROLES.items():
            mine = [record for record in judged if record.role == role]
            if mine:
                numbers, values = [r.number for r in mine], [float(r.objective or 0.0) for r in mine]
                upper.plot(numbers, values, marker=marker, color=colour, linestyle="none", markersize=4, label=word)
        steps = best_so_far(judged)
        if steps:
            upper.step(*zip(*steps, strict=True), where="post", color=INK, linewidth=1, label="best so far")
        upper.axhline(0, color=LINE, linewidth=0.8)
        upper.set_ylabel("objective\n(baseline deviations)")
        upper.legend(fontsize=7, ncols=3, loc="lower center", bbox_to_anchor=(0.45, 1.0), handletextpad=0.3, columnspacing=1)
        ended = [record for record in records if record.ended is not None]
        lower.bar([r.number for r in ended], [_seconds(r) for r in ended], color=MUTED, width=0.7)
        lower.set_ylabel("seconds")
        lower.set_xlabel("trial")
        for axes in (upper, lower):
            axes.grid(axis="y", color=LINE)
            axes.set_axisbelow(True)
        lower.xaxis.get_major_locator().set_params(integer=True)
        best = f"best objective of the search {steps[-1][1]:+.2f}" if steps else "no objective yet"
        return to_svg(figure, slug, title, f"{len(records)} trials, {len(judged)} with an objective; {best}")


def best_so_far(records: Sequence[TrialRecord]) -> list[tuple[int, float]]:
    """(trial, best objective up to it) over the mixes of the search, one seed each: finalists repeat a mix and are left out."""
    best: list[tuple[int, float]] = []
    for record in sorted(records, key=lambda r: r.number):
        if record.role in ("design", "search") and record.objective is not None:
            best.append((record.number, max(record.objective, best[-1][1] if best else record.objective)))
    return best


def _seconds(record: TrialRecord) -> float:
    return (record.ended or record.started) - record.started
