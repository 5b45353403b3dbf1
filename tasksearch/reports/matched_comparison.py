"""The answer to joint or sequential: tables, and the sentences below them."""

from __future__ import annotations

from tasksearch.reports.table import Column, ReportTable, block_ends
from tasksearch.reports.text import NOT_CLUSTERED, number_text, short_mix
from tasksearch.results.estimate import Interval, finding_of, gain_text
from tasksearch.results.matched_comparison import BestOfComparison, MatchedComparison, ScheduleContrast


def matched_table(answer: MatchedComparison) -> ReportTable:
    """The effect of order: a row per language, group and target; a column per other schedule."""
    rows = answer.contrasts[0].rows
    columns = (
        Column(name="", max_width=16 if len(answer.contrasts) > 1 else 36),
        Column(name="kind of row", page_only=True),
        *(Column(name=_heading(contrast), number=True, wrap=True) for contrast in answer.contrasts),
        Column(name="detectable at 80 %", short="80 %", number=True),
        *(Column(name=name, page_only=True) for name in ("n", "mixtures", "seeds")),
    )
    cells = tuple(
        (
            row.name,
            row.kind,
            *(_starred(contrast.row(row.name, row.kind)) for contrast in answer.contrasts),
            number_text(row.difference.detectable),
            f"{row.difference.examples}",
            f"{row.difference.mixtures}",
            f"{row.difference.seeds}",
        )
        for row in rows
    )
    return ReportTable(
        title=f"Joint or sequential: effect of order{' and rate' if answer.own_rates else ''} at equal budget (matched pairs)",
        columns=columns,
        rows=cells,
        ends=block_ends([row.kind for row in rows]),
        notes=_matched_notes(answer),
        warning=answer.warning,
    )


def choosing_table(choosing: BestOfComparison, *, warning: str = "") -> ReportTable:
    """The effect of being allowed to choose, in one study."""
    best = f"best of {choosing.tried}"
    columns = (
        Column(name="", max_width=16),
        Column(name="kind of row", page_only=True),
        Column(name=f"{best} joint - {best} sequential", number=True),
        *(Column(name=name, page_only=True) for name in ("n", "seeds")),
    )
    rows = tuple(
        (row.name, row.kind, _starred(row.difference), f"{row.difference.examples}", f"{choosing.seeds}")
        for row in choosing.rows
    )
    notes = (
        f"The best objective among the sampler's first {choosing.tried} mixes of each kind, both on {choosing.seeds} fresh "
        "seeds; the interval is over seeds and examples of this one search. No effect of order.",
        f"joint: {short_mix(choosing.joint)}",
        f"sequential: {short_mix(choosing.sequential)}",
    )
    return ReportTable(
        title=f"Effect of being allowed to choose: {choosing.study}",
        columns=columns,
        rows=rows,
        ends=block_ends([row.kind for row in choosing.rows]),
        notes=notes,
        warning=warning,
    )


def _heading(contrast: ScheduleContrast) -> str:
    policy = ", curve per stage" if contrast.lr_policy == "stage" else ""
    return f"joint - {contrast.other}{policy}"


def _starred(found: Interval) -> str:
    """`+0.3 [-1.2, +1.8]`, with a star where the interval leaves zero out."""
    return gain_text(found) + ("*" if finding_of(found) in ("better", "worse") else "")


def _matched_notes(answer: MatchedComparison) -> tuple[str, ...]:
    main = answer.main
    notes = [
        f"Points on reporting examples; above zero: joint was better. An average over {main.mixtures} mixtures drawn from the "
        f"space by the seed, {_seeds(main.seeds)}; {100 * answer.level:g} % intervals over mixtures, seeds and examples. "
        "*: zero is outside the interval. Each row stands alone. 'A - others': how much more joint training gives A.",
        "Detectable: the smallest difference that so many mixtures and seeds show with 80 % probability.",
    ]
    if answer.own_rates:
        notes.append(
            f"The arms of a pair differ in order and learning rate{answer.rate_words}: a difference is of both together."
        )
    notes.append("Examples of one document count as one draw." if main.documents is not None else NOT_CLUSTERED)
    left = max(contrast.left_out for contrast in answer.contrasts)
    if left:
        notes.append(f"{left} mixtures lack a finished training, or one of theirs collapsed, and are left out.")
    if answer.of_all_runs is not None:
        trials = ", ".join(f"{trial} ({kind})" for kind, trial in answer.collapsed)
        notes.append(
            f"Collapsed (far below all other pairs in English): trials {trials}; with them {gain_text(answer.of_all_runs)}."
        )
    return tuple(notes)


def _seeds(seeds: int) -> str:
    return f"{seeds} shared seeds, two orders" if seeds > 1 else "a seed of its own and one order each"


def closing_lines(answer: MatchedComparison) -> list[str]:
    """State size rule, cost and verdict, a sentence each."""
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
    if cost.pairs:
        lines.append(
            f"Matched pairs: {cost.pairs} trainings ({cost.pair_hours:.2g} {cost.unit}), which are trials of the search and "
            "serve it too."
        )
    if not cost.phase:
        return [*lines, answer.sentence]
    lines.append(
        f"Cost: {cost.phase} trainings under one curve ({phase:.2g} {cost.unit}), {cost.stage} with a curve per stage "
        f"({stage:.2g}), {cost.choosing} for the best of each kind ({choosing:.2g})."
    )
    if not answer.choosing:
        why = "the sampler trained no mix of several tasks of one kind" if answer.complete else "its trainings come last"
        lines.append(f"Effect of being allowed to choose: not known, {why}.")
    return [*lines, answer.sentence]
