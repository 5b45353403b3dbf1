"""Task effects: what each task, the order and pairs of tasks do, per language."""

from __future__ import annotations

from tasksearch.reports.data import ReportData
from tasksearch.reports.figures.forest import forest
from tasksearch.reports.figures.heat import heat, limit_of
from tasksearch.reports.figures.scale import LEGEND
from tasksearch.reports.section import Figure, Section
from tasksearch.reports.task_effects import effects_table, every_effect_table
from tasksearch.results.task_effects import TaskEffects


def section(data: ReportData) -> Section | None:
    """Effects of tasks; None while too few mixes are trained."""
    found = data.why
    if found is None or not found.rows[0].drops:
        return None
    return Section(
        slug="task-effects",
        title="Task effects",
        lead=(_sentence(found),),
        figures=(_by_language(found), _together(found)),
        tables=(effects_table(found, found["all"]), every_effect_table(found)),
    )


def _sentence(found: TaskEffects) -> str:
    row = found["all"]
    asked = (*row.drops, *(effect for effect in row.order if effect.kind == "rate"))
    clear = sorted((effect for effect in asked if effect.clear), key=lambda effect: effect.value)
    told = ", ".join(effect.line for effect in clear)
    if not told:
        return "Over all languages the interval of no task's effect leaves zero out."
    return f"Over all languages, in points: {told}. Of the other tasks' effects the interval covers zero."


def _by_language(found: TaskEffects) -> Figure:
    cells = {(row.name, effect.about[0]): effect for row in found.rows for effect in row.drops}
    tasks = [effect.about[0] for effect in found.rows[0].drops]
    names, limit = [row.name for row in found.rows], limit_of([*cells.values()])
    drawn = heat("Leaving a task out, by language", names, tasks, cells, limit)
    caption = (
        f"Points that a mix gains without a task, n = {found.mixes} trained mixes, one seed each, selection examples. "
        f"Orange: the task helps, without it points are lost. ▲, ▼: the {100 * found.level:g} % interval leaves zero out."
    )
    return Figure(drawing=drawn, caption=caption)


def _together(found: TaskEffects) -> Figure:
    row = found["all"]
    effects = [*row.drops, *row.order[:2], *row.pairs]
    drawn = forest("Effects over all languages", [(e.words, e) for e in effects], axis=f"points [{100 * found.level:g} %]")
    return Figure(
        drawing=drawn,
        caption=f"All languages together, n = {found.mixes} trained mixes, one seed each, selection examples. {LEGEND}",
    )
