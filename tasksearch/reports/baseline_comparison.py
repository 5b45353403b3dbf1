"""Tables of the comparison with free baselines and of the selection rules, as renderables."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from tasksearch.reports.tables import framed, gain_text, short_mix
from tasksearch.results.baseline_comparison import BaselineComparison, BaselineEntry
from tasksearch.results.selection_rules import RulePick, RuleTable


def baseline_table(comparison: BaselineComparison, *, warning: str = "") -> Table:
    """One row per free baseline: its gain, and how much better the search's pick is."""
    notes = [
        f"Row: {comparison.row}. Gain: points over no intermediate training on fresh seeds. ~: not re-run; its shrunken gain on "
        "selection examples from one seed, which is not comparable.",
        "Pick: points that the search's mix is better, on the same fresh seeds and examples. Cost: trainings that it takes to "
        f"have it, and their {comparison.hours.unit} on one seed.",
        "†: what the mix has to beat, beside no intermediate training, for the search to be worth its hours.",
        f"The search's mix: {short_mix(comparison.pick)}, {gain_text(comparison.gain)}.",
    ]
    table = framed("The search beside what is free", notes, warning)
    table.add_column("", max_width=26, overflow="fold")
    table.add_column("mix", ratio=1, overflow="fold", min_width=10)
    for heading in ("gain", "pick", "cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    for entry in comparison.entries:
        shown = gain_text(entry.gain) if entry.gain else ("–" if entry.expected is None else f"~{entry.expected:+.1f}")
        table.add_row(
            entry.name + (" †" if entry.rival and entry.gain else ""),
            entry.note if entry.schedule is None else short_mix(entry.schedule),
            "0" if entry.name == "no intermediate training" else shown,
            gain_text(entry.advantage) if entry.advantage else "–",
            cost_text(entry),
        )
    return table


def cost_text(entry: BaselineEntry) -> str:
    """`8: 0.21 h`; a dash where it was not run."""
    if not entry.trainings:
        return "–"
    return f"{entry.trainings}" if entry.hours is None else f"{entry.trainings}: {entry.hours:.2g} h"


def rules_table(rules: RuleTable, *, warning: str = "") -> Table:
    """One row per language and group, one column per rule, the oracle last."""
    notes = [
        "Gain in points over no intermediate training, in brackets the regret against the oracle: the finalist that is best on "
        "the reporting examples itself, which no honest rule sees. A maximum is flattered, so regrets are too large.",
        "Mean regret over languages: " + ", ".join(f"{rule} {regret:.2f}" for rule, regret in rules.regrets) + ".",
    ]
    notes.append(
        "Written down as a reading of every rule: a rule that is asked for after this needs --reopen and is marked adaptive."
    )
    if rules.small:
        notes.append(f"Fewer than {rules.least} selection examples, too few to select on: {', '.join(rules.small)}.")
    table = framed("Selection rules side by side", notes, warning)
    table.add_column("", max_width=20, overflow="fold")
    for pick in rules.rows[0].picks if rules.rows else ():
        table.add_column(pick.rule, justify="right")
    for row in rules.rows:
        table.add_row(row.name, *(_pick(pick) for pick in row.picks))
    return table


def _pick(pick: RulePick) -> Text:
    if pick.gain is None or pick.regret is None:
        return Text("–")
    mark = "*" if pick.applied != pick.rule else ""
    return Text(f"{pick.gain.value:+.1f}{mark} ({pick.regret:.1f})" if pick.regret else f"{pick.gain.value:+.1f}{mark}")
