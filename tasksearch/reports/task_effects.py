"""Tables of task effects: what each task, the order and pairs of tasks do."""

from __future__ import annotations

from tasksearch.reports.table import Column, ReportTable, block_ends, text_columns
from tasksearch.results.task_effects import Effect, TaskEffects, TaskEffectsRow


def effects_table(found: TaskEffects, row: TaskEffectsRow, *, warning: str = "") -> ReportTable:
    """One row of languages in detail: a line per effect."""
    effects = _shown(row)
    return ReportTable(
        title=f"{row.name}: what the tasks do",
        columns=(
            Column(name="effect in points", min_width=24, wrap=True),
            Column(name=f"± half of {100 * found.level:g} %", number=True),
            Column(name="Shapley value", number=True),
            Column(name="mixes", number=True),
        ),
        rows=tuple((*_cells(row, effect), f"{effect.mixes}") for effect in effects),
        ends=block_ends([_BLOCK[effect.kind] for effect in effects]),
        notes=_notes(found),
        warning=warning,
    )


def every_effect_table(found: TaskEffects) -> ReportTable:
    """Every effect of every row; for a page."""
    return ReportTable(
        title="Every effect in every language",
        columns=text_columns("", "effect", "points ±", "Shapley value"),
        rows=tuple((row.name, *_cells(row, effect)) for row in found.rows for effect in _shown(row)),
        folded=True,
    )


def drops_table(found: TaskEffects) -> ReportTable:
    """Every language: the effect of leaving a task out."""
    tasks = [effect.about[0] for effect in found.rows[0].drops] if found.rows else []
    return ReportTable(
        title="Leaving one task out",
        columns=(Column(name=""), *(Column(name=task, number=True, wrap=True, min_width=5) for task in tasks)),
        rows=tuple((row.name, *(f"{e.value:+.1f}" + "•" * e.clear for e in row.drops)) for row in found.rows),
        notes=("Points that a mix gains without the task. •: the interval leaves zero out.",),
    )


_BLOCK = {"drop": "drop", "rate": "rate", "last": "order", "kind": "order", "pair": "pair"}


def _shown(row: TaskEffectsRow) -> tuple[Effect, ...]:
    return (*row.drops, *row.order, *row.pairs)


def _cells(row: TaskEffectsRow, effect: Effect) -> tuple[str, str, str]:
    """The effect, its size, and the Shapley value of the task that it drops."""
    value = next((v for v in row.shapley if effect.kind == "drop" and v.about == effect.about), None)
    return effect.words, _size(effect), "–" if value is None else _size(value)


def _size(effect: Effect) -> str:
    """`-0.1 ± 0.3`."""
    return f"{effect.value:+.1f} ± {effect.reach:.1f}"


def _notes(found: TaskEffects) -> tuple[str, ...]:
    notes = [
        f"From the surrogate over {found.mixes} trained mixes on selection examples, one seed each; it reads no reporting "
        "example. Mixes: how many the effect is an average over. drop: its share goes to the others, at the same length.",
        f"Shapley: what the task brings where all tasks are trained jointly in equal shares for {found.steps} steps, averaged "
        "over all orders in which tasks may join; the values add up to what all of them bring.",
        f"With: what two tasks do together beyond what each does alone; the strongest of {found.pairs_tried} pairs, so their "
        "sizes are flattered. Each interval stands alone.",
        "Intervals hold as far as the surrogate does: on planted worlds they covered as benchmarks/RESULTS.md says. They "
        "speak of these examples and of mixes like those that were trained.",
    ]
    if found.additive < 0.5:
        notes.insert(
            0,
            f"Caution: {100 * (1 - found.additive):.0f} % of the evidence is for a surrogate that no sum of effects describes.",
        )
    return tuple(notes)
