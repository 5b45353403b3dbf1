"""Tables of effects, as renderables."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from tasksearch.reports.tables import framed
from tasksearch.results.task_effects import Effect, TaskEffects, TaskEffectsRow


def effects_table(found: TaskEffects, row: TaskEffectsRow, *, warning: str = "") -> Table:
    """One row of languages in detail: a line per effect."""
    table = framed(f"{row.name}: what the tasks do", effects_notes(found), warning)
    table.add_column("effect in points", min_width=24, overflow="fold")
    table.add_column(f"[{100 * found.level:g} %]", justify="right", no_wrap=True)
    table.add_column("Shapley value", justify="right", no_wrap=True)
    table.add_column("mixes", justify="right", no_wrap=True)
    values = {effect.about: effect for effect in row.shapley}
    for block in (row.drops, row.order, row.pairs):
        for place, effect in enumerate(block):
            value = values.get(effect.about) if effect.kind == "drop" else None
            table.add_row(
                effect.words,
                effect_text(effect),
                effect_text(value) if value else "",
                f"{effect.mixes}",
                end_section=place == len(block) - 1,
            )
    return table


def drops_table(found: TaskEffects) -> Table:
    """Every language: what leaving a task out does."""
    notes = ["Points that a mix gains without the task. •: the interval leaves zero out."]
    table = framed("Leaving one task out", notes, "")
    table.add_column("", no_wrap=True)
    for effect in found.rows[0].drops if found.rows else ():
        table.add_column(effect.about[0], justify="right", overflow="fold", min_width=5)
    for row in found.rows:
        table.add_row(row.name, *(Text(f"{e.value:+.1f}" + ("•" if e.clear else "")) for e in row.drops))
    return table


def effects_notes(found: TaskEffects) -> list[str]:
    """What must be known to read effects."""
    notes = [
        f"From the surrogate over {found.mixes} trained mixes on selection examples, one seed each; it reads no reporting "
        "example. Mixes: how many the effect is an average over. drop: its share goes to the others, at the same length.",
        f"Shapley: what the task brings where all tasks are trained jointly in equal shares for {found.steps} steps, averaged "
        "over all orders in which tasks may join; the values add up to what all of them bring.",
        f"With: what two tasks do together beyond what each does alone; the strongest of {found.pairs_tried} pairs, so their "
        "sizes are flattered. Each interval stands alone.",
        "Intervals hold as far as the surrogate does: on planted worlds they covered as benchmarks/RESULTS.md says. They "
        "speak of these examples and of mixes like those that were tried.",
    ]
    if found.additive < 0.5:
        notes.insert(
            0,
            f"Caution: {100 * (1 - found.additive):.0f} % of the evidence is for a surrogate that no sum of effects describes.",
        )
    return notes


def effect_text(effect: Effect) -> str:
    """`-0.1 ± 0.3`."""
    return f"{effect.value:+.1f} ± {effect.reach:.1f}"
