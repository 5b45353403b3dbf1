"""Tables of the verdict and of the trials.

A row whose interval covers zero says "no difference seen": no table claims more than the interval allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from tasksearch.core.schedule import Schedule
from tasksearch.core.study import TrialRecord
from tasksearch.reports.table import Column, ReportTable, block_ends
from tasksearch.reports.text import (
    CLUSTERED,
    MARKS,
    NOT_BETTER,
    NOT_CLUSTERED,
    STANDS,
    first_names,
    letter,
    marked,
    number_text,
    short_mix,
    short_plan,
)
from tasksearch.results.estimate import gain_text, interval_text
from tasksearch.results.selection_rules import MIN_SELECT
from tasksearch.results.verdict import RULES, Choice, TargetResult, Verdict

NO_EXPOSURE = "No target phase of equal exposure was trained: part of that gain may be more of the target's own data."


def verdict_table(verdict: Verdict, *, warning: str = "") -> ReportTable:
    """One row per language and group: the letter of its mix, the gain with an interval, and what that allows to be said.

    Args:
        verdict: as `pick` returns it.
        warning: the suite's sentence, which stands beside every number.
    """
    letters = mix_letters(verdict)
    names = [row_name(verdict, choice) for choice in verdict.choices]
    columns = (
        Column(name="", min_width=min(14, max(map(len, names), default=0)), max_width=20),
        Column(name="mix", max_width=10),
        Column(name=f"gain [{100 * verdict.level:g} %]", number=True),
        Column(name="verdict", min_width=10, max_width=18),
        Column(name="baseline", page_only=True),
        Column(name="with mix", page_only=True),
        *(Column(name=heading, number=True) for heading in ("n", "seeds", "labels")),
        Column(name="P(better)", page_only=True),
        Column(name="P(ahead)", page_only=True),
    )
    rows = tuple(
        (
            name,
            ("" if choice.best_mix else NOT_BETTER) + letters[choice.mix_signature],
            gain_text(choice.gain),
            choice.finding,
            f"{choice.baseline.value:.1f}",
            f"{choice.score.value:.1f}",
            f"{choice.examples}",
            f"{choice.seeds}+{choice.baseline_seeds}",
            f"{choice.labels}",
            number_text(choice.better, ".2f"),
            number_text(choice.ahead, ".2f"),
        )
        for name, choice in zip(names, verdict.choices, strict=True)
    )
    return ReportTable(
        title="Best mix per language",
        columns=columns,
        rows=rows,
        ends=block_ends([choice.is_group for choice in verdict.choices]),
        legend=mix_legend(verdict),
        notes=verdict_notes(verdict),
        warning=warning,
    )


def cell_table(verdict: Verdict, *, warning: str = "") -> ReportTable:
    """Language × target: the gain of each row's mix on every target, with the mark of its finding."""
    letters = mix_letters(verdict)
    targets = list(dict.fromkeys(target.target for choice in verdict.choices for target in choice.targets))
    shown = targets if len(targets) > 1 else []
    rows = []
    for choice in verdict.choices:
        found = {target.target: target for target in choice.targets}
        letter = letters[choice.mix_signature]
        rows.append(
            (
                row_name(verdict, choice),
                letter if choice.best_mix else f"({letter})",
                MARKS[choice.finding] + gain_text(choice.gain) + STANDS * choice.stands_after_correction,
                *(
                    marked(found[target].gain) + STANDS * found[target].stands_after_correction if target in found else "–"
                    for target in shown
                ),
            )
        )
    about = verdict.target or (targets[0] if len(targets) == 1 else "all targets")
    columns = (
        *(Column(name=name) for name in ("", "mix")),
        *(Column(name=name, number=True) for name in (f"{about} [{100 * verdict.level:g} %]", *shown)),
    )
    return ReportTable(
        title="Gain over no intermediate phase, in points" + (": language × target" if shown else ""),
        columns=columns,
        rows=tuple(rows),
        ends=block_ends([choice.is_group for choice in verdict.choices]),
        notes=cell_legend(verdict),
        warning=warning,
        stub=1,
    )


def cell_legend(verdict: Verdict) -> tuple[str, ...]:
    """Return the three lines that `cell_table` is read with."""
    others = sorted({choice.rule for choice in verdict.choices} - {verdict.rule})
    starred = f", *by {', '.join(others)}" if others else ""
    rate = f"false discoveries {100 * (1 - verdict.level):.2g} %"
    stands = f", {STANDS}: stands among many ({rate})" if any(map(_any_stands, verdict.choices)) else ""
    return (
        f"▲ better, ▼ worse, no mark: no difference seen, ?: too few seeds or examples{stands}.",
        f"By {verdict.rule}{starred}. In brackets: chosen, not shown better.",
        "More: --notes (seeds, n, labels, rules), --language NAME, --target NAME.",
    )


def _corrected(rows: Iterable[tuple[str, Choice | TargetResult]]) -> str:
    """Return the names of the rows that stand among many with their corrected intervals; empty where none stands."""
    return ", ".join(
        f"{name} {interval_text(row.corrected_low, row.corrected_high)}"
        for name, row in rows
        if row.corrected_low is not None and row.corrected_high is not None
    )


def _any_stands(choice: Choice) -> bool:
    return choice.stands_after_correction or any(target.stands_after_correction for target in choice.targets)


def row_name(verdict: Verdict, choice: Choice) -> str:
    """Return the row's name, with a star where another rule than the verdict's was applied."""
    return choice.name + ("" if choice.rule == verdict.rule else "*")


def mix_letters(verdict: Verdict) -> dict[str, str]:
    """Map the signature of each mix to its letter (A … Z, AA …), in the order in which the verdict's rows name it first."""
    mixes = dict.fromkeys(choice.mix_signature for choice in verdict.choices)
    return {mix: letter(place) for place, mix in enumerate(mixes)}


def mix_legend(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """Return (letter, mix) pairs such as `("A", "62.5% mnli + 37.5% qqp, 80 steps")`."""
    schedules = {choice.mix_signature: choice.schedule for choice in verdict.choices}
    return tuple((name, short_mix(schedules[mix])) for mix, name in mix_letters(verdict).items())


def target_table(
    choice: Choice,
    *,
    chance: Mapping[str, float | None] | None = None,
    untrained: Mapping[str, float] | None = None,
    warning: str = "",
) -> ReportTable:
    """One row per target of one choice, on reporting examples: chance, untrained encoder, baseline, mix, gain.

    Args:
        choice: of a verdict.
        chance: target → percent of a guess, None where the data decides.
        untrained: target → percent with an untrained encoder, over the same languages; no column without it.
        warning: the suite's sentence.
    """
    notes = [
        f"{short_mix(choice.schedule)}; {choice.seeds} seeds against {choice.baseline_seeds} without an intermediate phase."
    ]
    notes += likely_notes(choice)
    if corrected := _corrected((target.target, target) for target in choice.targets):
        notes.append(f"Among this row's targets, after a correction for looking at all of them, these stand: {corrected}.")
    if any(target.same_data for target in choice.targets):
        notes.append("* same data: the mix trains on data that this target's own training data comes from.")
        notes += exposure_notes(choice)
    bare = untrained is not None
    columns = (
        Column(name="target"),
        *(Column(name=name, number=True) for name in ("chance", *(("untrained",) * bare), "baseline", "mix", "gain")),
        Column(name="verdict", max_width=18),
    )
    rows = []
    for target in choice.targets:
        references = [(chance or {}).get(target.target), *([(untrained or {}).get(target.target)] * bare)]
        rows.append(
            (target.target + ("*" * target.same_data), *(number_text(value) for value in references), *target_cells(target)[:4])
        )
    return ReportTable(
        title=f"{choice.name}: scores per target", columns=columns, rows=tuple(rows), notes=tuple(notes), warning=warning
    )


def target_columns(level: float) -> tuple[Column, ...]:
    """Return the columns of `target_cells`."""
    names = ("baseline", "with mix", f"gain [{100 * level:g} %]", "verdict", "n", "over equal exposure")
    return tuple(Column(name=name) for name in names)


def target_cells(target: TargetResult) -> tuple[str, ...]:
    """Return baseline, score with the mix, gain, finding, reporting examples, gain over target phases of equal exposure."""
    return (
        f"{target.baseline.value:.1f}",
        f"{target.score.value:.1f}",
        gain_text(target.gain),
        target.finding,
        f"{target.gain.examples}",
        gain_text(target.over_exposure) if target.over_exposure else "–",
    )


def likely_notes(choice: Choice) -> list[str]:
    """State how probable it is that the mix is better than the baseline, and than the rule's second choice."""
    if choice.better is None:
        return []
    second = ""
    if choice.runner_up is not None and choice.ahead is not None and choice.lead is not None:
        second = f", than the runner-up ({short_mix(choice.runner_up)}; {gain_text(choice.lead)} points) {choice.ahead:.2f}"
    return [f"Probability that the mix is better than no intermediate phase {choice.better:.2f}{second}."]


def exposure_notes(choice: Choice) -> list[str]:
    """State the mix's gain on same-data targets over target phases that alone show as many examples."""
    found = [t for t in choice.targets if t.same_data and t.over_exposure is not None]
    told = "; ".join(f"{t.target} {gain_text(t.over_exposure)}" for t in found if t.over_exposure is not None)
    return [f"Against target phases of equal exposure, without the mix: {told}."] if told else [NO_EXPOSURE]


def trial_table(
    records: Iterable[TrialRecord],
    *,
    warning: str = "",
    folded: bool = False,
    links: Mapping[str, str] | None = None,
    name_of: Callable[[Schedule], str] | None = None,
) -> ReportTable:
    """One row per trial: what it trained, its objective (in baseline deviations, on selection examples), its seconds.

    Args:
        links: number of a trial → address of its run, for a page.
        name_of: returns the name of a designed schedule of several tasks; None: such names are not shown.
    """
    ordered = sorted(records, key=lambda r: r.number)
    columns = (
        Column(name="trial", number=True),
        Column(name="role"),
        Column(name="status", page_only=True),
        Column(name="schedule", fill=True, min_width=12),
        *(Column(name=heading, number=True) for heading in ("seed", "objective", "seconds")),
    )
    rows = tuple(
        (
            f"{record.number}",
            str(record.role),
            record.status + (f": {record.cause}" if record.cause else ""),
            _named(record, name_of),
            f"{record.plan.seed}",
            _outcome(record),
            number_text(None if record.ended is None else record.ended - record.started),
        )
        for record in ordered
    )
    notes = (
        "Objective: mean gain over the baseline on selection examples, in standard deviations of the baseline: over languages "
        "within a target, over targets within a kind, over kinds.",
    )
    return ReportTable(
        title=f"Trials ({len(rows)})",
        columns=columns,
        rows=rows,
        notes=notes,
        warning=warning,
        folded=folded,
        links=links or {},
    )


def _named(record: TrialRecord, name_of: Callable[[Schedule], str] | None) -> str:
    """Return the schedule in short; a designed one of several tasks with its name."""
    shown = short_plan(record.plan)
    designed = name_of is not None and record.role == "design" and len(record.plan.schedule.tasks) > 1
    return f"{name_of(record.plan.schedule)}: {shown}" if name_of is not None and designed else shown


def _outcome(record: TrialRecord) -> str:
    if record.status == "running" and not record.started:
        return "proposed"
    if record.status in ("failed", "stopped", "running"):
        return record.status
    return number_text(record.objective, "+.2f")


def verdict_notes(verdict: Verdict) -> tuple[str, ...]:
    """Notes on a verdict: what gains are over, the selection rule, and whose labels it read."""
    notes = [
        "Gain: points over no intermediate phase, on n reporting examples, from fresh seeds alone; "
        "mean over targets, then over kinds of target. Seeds: of the mix + of the baseline.",
        f"{verdict.rule}: {RULES[verdict.rule]}. Labels: how many of the language the choice read.",
        "1 mix was a finalist: it was trained again on fresh seeds."
        if verdict.candidates == 1
        else f"{verdict.candidates} mixes were finalists: they were trained again on fresh seeds.",
    ]
    if verdict.target:
        notes.append(
            f"The finalists were found for all targets: to search for {verdict.target}, run with --objective {verdict.target}."
        )
    if verdict.small:
        notes.append(f"Fewer than {MIN_SELECT} selection examples, too few to select on alone: {first_names(verdict.small)}.")
    notes.append(CLUSTERED if verdict.clustered else NOT_CLUSTERED)
    read = [choice.name for choice in verdict.choices if choice.shortlist_labels and not choice.is_group]
    if read:
        notes.append(f"The search's objective, which found these mixes, read selection labels of {', '.join(read)}.")
    if len(verdict.choices) > 1:
        notes.append(f"Each interval stands alone: of all rows, about {100 * (1 - verdict.level):.2g} % miss by chance.")
    if corrected := _corrected((choice.name, choice) for choice in verdict.choices):
        notes.append(f"Corrected for having been selected, the intervals of {STANDS} are {corrected}.")
    if every := [
        f"{one.name} {gain_text(one.gain_of_all_runs)}" for one in verdict.choices if one.gain_of_all_runs is not None
    ]:
        rates = ", ".join(f"{mix}: {bad} of {trained}" for mix, bad, trained in verdict.collapse_rates)
        notes.append(f"Gains with the collapsed trainings: {', '.join(every)}. Collapsed, by mix: {rates}.")
    others = {choice.rule for choice in verdict.choices} - {verdict.rule}
    return (*notes, *(f"* by {rule}: {RULES[rule]}." for rule in sorted(others)))
