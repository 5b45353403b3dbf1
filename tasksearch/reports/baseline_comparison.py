"""Tables of the comparison with free baselines and of the selection rules."""

from __future__ import annotations

from tasksearch.reports.table import Column, ReportTable
from tasksearch.reports.text import number_text, short_mix
from tasksearch.results.baseline_comparison import BaselineComparison, BaselineEntry
from tasksearch.results.estimate import gain_text
from tasksearch.results.selection_rules import RulePick, RuleTable


def baseline_table(comparison: BaselineComparison, *, warning: str = "") -> ReportTable:
    """One row per free baseline: its gain, and how much better the search's pick is."""
    columns = (
        Column(name="", max_width=26),
        Column(name="mix", fill=True, min_width=10),
        Column(name="gain [95 %]", short="gain", number=True),
        Column(name="pick - this [95 %]", short="pick", number=True),
        Column(name="n", page_only=True),
        Column(name="seeds", page_only=True),
        Column(name="cost", number=True),
    )
    notes = (
        f"Row: {comparison.row}. Gain: points over no intermediate training on fresh seeds. ~: not re-run; shrunken gain on "
        "selection examples from one seed, which is not comparable.",
        "Pick: lead of the search's mix in points, on the same fresh seeds and examples. Cost: trainings that it takes, and "
        f"their {comparison.hours.unit} on one seed.",
        "†: what the mix has to beat, beside no intermediate training, for the search to be worth its cost.",
        f"The search's mix: {short_mix(comparison.pick)}, {gain_text(comparison.gain)}.",
        *_by_language(comparison),
    )
    return ReportTable(
        title="The search's pick and the free baselines",
        columns=columns,
        rows=tuple(_row(entry) for entry in comparison.entries),
        notes=notes,
        warning=warning,
    )


def _by_language(comparison: BaselineComparison) -> tuple[str, ...]:
    found = [
        f"{entry.name}, by language: {', '.join(f'{one.language} {gain_text(one.gain)}' for one in entry.by_language)}."
        for entry in comparison.entries
        if entry.by_language
    ]
    told = (
        "few-shot: takes labelled examples of each language, which selected nothing; so it is not among what the mix has to "
        "beat. Its rows are over targets and languages that have some; the interval holds which examples were drawn."
    )
    return (told, *found) if found else ()


def _row(entry: BaselineEntry) -> tuple[str, ...]:
    expected = "–" if entry.expected is None else f"~{entry.expected:+.1f}"
    gain = gain_text(entry.gain) if entry.gain else expected
    return (
        entry.name + (" †" if entry.rival and entry.gain else ""),
        entry.note if entry.schedule is None else short_mix(entry.schedule),
        "0" if entry.name == "no intermediate training" else gain,
        gain_text(entry.advantage) if entry.advantage else "–",
        f"{entry.gain.examples}" if entry.gain else "–",
        f"{entry.gain.seeds}" if entry.gain else "–",
        _cost(entry),
    )


def _cost(entry: BaselineEntry) -> str:
    if not entry.trainings:
        return "–"
    return f"{entry.trainings}" if entry.hours is None else f"{entry.trainings}: {entry.hours:.2g} h"


def rules_table(rules: RuleTable, *, warning: str = "") -> ReportTable:
    """One row per language and group, one column per rule, the oracle last."""
    notes = [
        "Gain in points over no intermediate training, in brackets the regret against the oracle: the finalist that is best on "
        "the reporting examples itself, which no valid rule reads. A maximum is biased upwards, so regrets are too large.",
        "Mean regret over languages: " + ", ".join(f"{rule} {regret:.2f}" for rule, regret in rules.regrets) + ".",
        "Recorded as a reading of every rule: what is asked by another rule after this is marked adaptive.",
    ]
    if rules.small:
        notes.append(f"Fewer than {rules.least} selection examples, too few to select on: {', '.join(rules.small)}.")
    asked = [pick.rule for pick in rules.rows[0].picks] if rules.rows else []
    return ReportTable(
        title="Selection rules side by side",
        columns=(Column(name="", max_width=20), *(Column(name=rule, number=True) for rule in asked)),
        rows=tuple((row.name, *(_pick(pick) for pick in row.picks)) for row in rules.rows),
        notes=tuple(notes),
        warning=warning,
    )


def _pick(pick: RulePick) -> str:
    if pick.gain is None or pick.regret is None:
        return "–"
    mark = "*" if pick.applied != pick.rule else ""
    return number_text(pick.gain.value, "+.1f") + mark + (f" ({pick.regret:.1f})" if pick.regret else "")
