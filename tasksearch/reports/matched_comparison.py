"""The answer to joint or sequential as tables for the terminal."""

from __future__ import annotations

from rich.table import Table

from tasksearch.reports.tables import NOT_CLUSTERED, framed, gain_text, short_mix
from tasksearch.results.matched_comparison import BestOfComparison, Difference, MatchedComparison, ScheduleContrast


def matched_table(answer: MatchedComparison) -> Table:
    """The effect of order: a row per language, group and target; a column per other schedule."""
    table = framed("Joint or sequential: effect of order at equal budget (twins)", matched_notes(answer), answer.warning)
    table.add_column("", max_width=16, overflow="fold")
    for place, contrast in enumerate(answer.contrasts):
        table.add_column(column_of(contrast), justify="right")
        if not place:
            table.add_column("80 %", justify="right", no_wrap=True)
    rows = answer.contrasts[0].rows
    for place, row in enumerate(rows):
        cells = [difference_text(contrast.row(row.name, row.kind)) for contrast in answer.contrasts]
        ends = place + 1 < len(rows) and rows[place + 1].kind != row.kind
        table.add_row(row.name, cells[0], detectable_text(row.difference), *cells[1:], end_section=ends)
    return table


def choosing_table(choosing: BestOfComparison, *, warning: str = "") -> Table:
    """The effect of being allowed to choose, in one study."""
    table = framed(f"Effect of being allowed to choose: {choosing.study}", choosing_notes(choosing), warning)
    table.add_column("", max_width=16, overflow="fold")
    table.add_column(f"best of {choosing.tried} joint - best of {choosing.tried} sequential", justify="right", no_wrap=True)
    for place, row in enumerate(choosing.rows):
        ends = place + 1 < len(choosing.rows) and choosing.rows[place + 1].kind != row.kind
        low, high = row.difference.low, row.difference.high
        mark = "*" if low is not None and high is not None and (low > 0 or high < 0) else ""
        table.add_row(row.name, gain_text(row.difference) + mark, end_section=ends)
    return table


def column_of(contrast: ScheduleContrast) -> str:
    """What is subtracted from joint."""
    policy = ", curve per stage" if contrast.lr_policy == "stage" else ""
    return f"joint - {contrast.other}{policy}"


def difference_text(found: Difference) -> str:
    """`+0.3 [-1.2, +1.8]`, with a star where the interval leaves zero out."""
    return gain_text(found) + ("*" if found.finding() in ("joint", "sequential") else "")


def detectable_text(found: Difference) -> str:
    """The smallest difference seen with 80 % probability, rounded up."""
    return "–" if found.detectable is None else f"{found.detectable:.1f}"


def matched_notes(answer: MatchedComparison) -> list[str]:
    """What must be known to read the effect of order."""
    main = answer.main
    notes = [
        f"Points on reporting examples; above zero: joint was better. {main.mixtures} mixtures drawn from the space by the "
        f"seed, {main.seeds} shared seeds, two orders; {100 * answer.level:g} % intervals over mixtures, seeds and examples. "
        "*: zero is outside. Each row stands alone.",
        "80 %: the smallest difference that so many mixtures and seeds show with 80 % probability.",
    ]
    notes.append("Examples of one document count as one draw." if main.documents is not None else NOT_CLUSTERED)
    left = max(contrast.left_out for contrast in answer.contrasts)
    return notes + ([f"{left} mixtures lack a finished training and are left out."] if left else [])


def choosing_notes(choosing: BestOfComparison) -> list[str]:
    """What must be known to read the effect of choosing."""
    return [
        f"The best objective among the sampler's first {choosing.tried} mixes of each kind, both on {choosing.seeds} fresh "
        "seeds; the interval is over seeds and examples of this one search. No effect of order.",
        f"joint: {short_mix(choosing.joint)}",
        f"sequential: {short_mix(choosing.sequential)}",
    ]


def closing_lines(answer: MatchedComparison) -> list[str]:
    """Size rule, cost and verdict, a sentence each."""
    rule = answer.size_rule
    if rule is None:
        lines = [f"Size rule: {answer.size_note}."]
    else:
        lines = [
            "Size rule (Weller et al. 2022 for two tasks; here the last one against the largest before): right in "
            f"{rule.hits} of {rule.pairs} pairs of mixture and order, always joint in {rule.joint}, always sequential in "
            f"{rule.sequential}. It advised joint in {rule.advised_joint}. Following it: {gain_text(rule.advantage)} points "
            "over the opposite."
        ]
    cost, (phase, stage, choosing) = answer.cost, answer.cost.hours
    lines.append(
        f"Cost: {cost.phase} trainings under one curve ({phase:.2g} {cost.unit}), {cost.stage} with a curve per stage "
        f"({stage:.2g}), {cost.choosing} for the best of each kind ({choosing:.2g})."
    )
    if not answer.choosing:
        why = "the sampler tried no mix of several tasks of one kind" if answer.complete else "its trainings come last"
        lines.append(f"Effect of being allowed to choose: not known, {why}.")
    return [*lines, answer.sentence]
