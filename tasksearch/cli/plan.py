"""`tasksearch plan`: estimate what a study will take, before it runs."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from tasksearch.cli.from_table import Config, from_tables
from tasksearch.cli.options import Json, Quiet
from tasksearch.cli.printing import open_console, print_json
from tasksearch.core.arm_rates import arm_rate_words
from tasksearch.core.option import options_of
from tasksearch.core.options import Forecasting, Places, Resources, StudyOptions

PLAN_EXAMPLES = (
    "Examples: `tasksearch plan --space ladder`; `tasksearch plan --space sequential --trials 64 --json`; "
    "`tasksearch plan --suite lowres --data DIR --model FacebookAI/xlm-roberta-base --gpus-per-trial 1 --concurrency 8`"
)


@from_tables
def plan(
    study: StudyOptions,
    resources: Resources,
    places: Places,
    forecasting: Forecasting,
    config: Config = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Segments, sharing, hours with and without reuse, and disk of a study; times a few steps, once per machine and settings.

    Takes the options of `run` and forecasts that study, its controls, matched pairs and untrained reference included. What
    results decide is drawn three times, under results drawn at random, and told with the least and the most there can be.
    """
    from tasksearch.cli.progress import Watch
    from tasksearch.study.configuration import Asked
    from tasksearch.study.forecast import forecast_study
    from tasksearch.study.own_parts import reproducible, unseeded_note

    asked = Asked(study=study, resources=resources, places=places)
    wanted = asked.config()
    with Watch(wanted, quiet=quiet or as_json) as watch:
        found = forecast_study(
            wanted,
            resources=resources,
            folder=asked.folder(wanted),
            again=forecasting.recalibrate,
            on_pretrain=watch.on_pretrain,
        )
    if as_json:
        known = {"reproducible": reproducible(wanted)}
        print_json(dataclasses.asdict(found) | known | {"sharing": {k: _row(one) for k, one in found.sharing.items()}})
        return
    for line in (
        *_lines(found),
        *taken_over(wanted),
        *_precision(found, wanted),
        *_arms(wanted),
        *_limits(found, resources),
        *_without_effect(study, resources),
        *filter(None, [unseeded_note(wanted)]),
    ):
        open_console().print(line, highlight=False, soft_wrap=True)


def _row(one: Any) -> dict[str, Any]:
    return dataclasses.asdict(one) | {"factor": one.factor}


def _lines(found: Any) -> list[str]:
    from tasksearch.core.sizes import shown_size

    unit = "GPU-hours" if found.gpus else "CPU-hours"
    share = found.gpus or 1.0
    counts = found.trials.values()
    total = _count(sum(c.least for c in counts), sum(c.expected for c in counts), sum(c.most for c in counts))
    roles = ", ".join(f"{_count(c.least, c.expected, c.most)} {role}" for role, c in found.trials.items())
    lines = [f"trainings     {total}: {roles}"]
    for kind in ("intermediate", "target"):
        one, factors = found.sharing[kind], found.factors[kind]
        there = f", {one.already} of them stored already" if one.already else ""
        lines.append(
            f"{kind:13} {one.segments} segments asked, {one.distinct_segments} different{there}; {one.asked} steps asked, "
            f"{one.distinct} different: {one.factor:.2f} times fewer (draws: {', '.join(f'{f:.2f}' for f in factors)})"
        )
    tables = found.sharing["scores"]
    lines.append(f"score tables  {tables.segments} asked, {tables.distinct_segments} different")
    lines.append(
        f"{unit:13} {found.hours * share:.2f} with reuse ({found.hours_least * share:.2f} to "
        f"{found.hours_most * share:.2f} by how far finalists race), {found.hours_without_reuse * share:.2f} without; at best "
        f"{found.wall_hours:.2f} h on {found.slots} slots"
    )
    lines.append(f"left to do    {found.steps:,} steps, {found.tokens / 1e6:,.1f} million tokens")
    room = "no limit" if found.budget is None else f"the store may take {shown_size(found.budget)} (--store-budget)"
    lines.append(f"disk          {shown_size(found.bytes)} in {found.files:,} files if all is kept; {room}")
    when = "measured now" if found.measured else "measured before; --recalibrate does so anew"
    lines.append(
        f"speed         {1000 * found.speed.step:.0f} ms per step of the intermediate phase on {found.speed.machine} ({when})"
    )
    return lines


def taken_over(config: Any) -> list[str]:
    """Return which mixes come from another encoder's study, and by what they were ranked."""
    told = config.transfer
    if told is None:
        return []
    ranks = ", ".join(str(mix.rank) for mix in told.mixes)
    shared = ", ".join(f"{one.name} in {len(one.languages)}" for one in told.shared)
    return [f"mixes         ranks {ranks} of {told.ranked} of {told.study} ({told.model}); shared: {shared} languages"]


def _precision(found: Any, config: Any) -> list[str]:
    """Return how well a finalist's gain will be known; in points for a few deviations, since the study's own is not known."""
    from tasksearch.search.precision import seeds_for

    told = ", ".join(f"{2 * width:.1f} with {seeds} fresh seeds" for seeds, width in found.half_widths)
    lines = (
        [f"half-width    of a finalist's gain, points, if its trainings deviate by 2: {told}; examples add theirs"]
        if told
        else []
    )
    if config.half_width is not None:
        counts = [(points, seeds_for(config, config.half_width, points)) for points in (1.0, 2.0, 4.0)]
        each = ", ".join(f"{n or f'over {config.seed_limit}'} if by {points:g}" for points, n in counts)
        lines.append(f"              ±{config.half_width:g} take {each} fresh seeds of every finalist")
    return lines


def _arms(config: Any) -> list[str]:
    """Return a line on the learning rates of matched pairs' arms, where they have their own."""
    rates = config.space.arm_learning_rates if config.pairs else ()
    return [f"matched pairs each arm at its own learning rate: {' '.join(arm_rate_words(rates))}"] if rates else []


def _count(least: int, expected: float, most: int) -> str:
    """Format an exact number, or the expected one with its bounds."""
    return str(least) if least == most else f"about {expected:.0f} ({least}-{most})"


def _limits(found: Any, resources: Resources) -> list[str]:
    """Return lines on the effect of limits of a call and of the store."""
    lines = []
    for flag, limit, hours in (
        ("--max-hours", resources.max_hours, found.wall_hours),
        ("--max-gpu-hours", resources.max_gpu_hours, found.hours * found.gpus),
    ):
        if limit is not None:
            calls = max(1, math.ceil(hours / limit))
            lines.append(f"calls         at least {calls} under {flag} {limit:g}: `run`, then `resume`")
    if resources.store_budget is not None:
        lines.append(f"store         what {resources.store_budget} do not hold is trained again where it is needed again")
    return lines


def _without_effect(*tables: Any) -> list[str]:
    """Return a line on given options of `run` that change nothing in the forecast."""
    flags = [one.flag for table in tables for one in options_of(type(table)) if not one.forecast and one.name in table.given()]
    return [f"not forecast  {', '.join(flags)}: taken as `run` takes them, and of no effect on these numbers"] if flags else []
