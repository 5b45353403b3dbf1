"""`tasksearch plan`: what a study will take, before anything of it runs."""

from __future__ import annotations

import dataclasses
from typing import Any

from tasksearch.cli.from_table import Config, from_tables
from tasksearch.cli.options import Json, Quiet
from tasksearch.cli.printing import open_console, print_json
from tasksearch.core.options import Forecasting, Places, Resources, StudyOptions

PLAN_EXAMPLES = (
    "Examples: `tasksearch plan --space ladder`; `tasksearch plan --space sequential --trials 64 --json`; "
    "`tasksearch plan --suite lowres --data DIR --model xlm-roberta-base --gpus-per-trial 1 --concurrency 8`"
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

    What the search proposes rests on results that nobody has yet: it is drawn three times, under results drawn at random.
    """
    from tasksearch.cli.progress import Watch
    from tasksearch.study.configuration import Asked
    from tasksearch.study.forecast import forecast_study

    asked = Asked(study=study, resources=resources, places=places)
    wanted = asked.config()
    with Watch(wanted, quiet=quiet or as_json) as watch:
        found = forecast_study(
            wanted, store=resources.store, slots=resources.concurrency, gpus=resources.gpus_per_trial,
            keep_targets=resources.keep_targets, again=forecasting.recalibrate, on_pretrain=watch.on_pretrain,
        )  # fmt: skip
    if as_json:
        print_json(dataclasses.asdict(found) | {"sharing": {k: _row(one) for k, one in found.sharing.items()}})
        return
    for line in _lines(found):
        open_console().print(line, highlight=False, soft_wrap=True)


def _row(one: Any) -> dict[str, Any]:
    return dataclasses.asdict(one) | {"factor": one.factor}


def _lines(found: Any) -> list[str]:
    from tasksearch.study.store_location import shown_size

    roles = ", ".join(f"{count} {role}" for role, count in found.trials.items())
    unit = "GPU-hours" if found.gpus else "CPU-hours"
    share = found.gpus or 1.0
    lines = [f"trainings     {sum(found.trials.values())}: {roles} (races of leaders, twins and controls not counted)"]
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
        f"{unit:13} {found.hours * share:.2f} with reuse, {found.hours_without_reuse * share:.2f} without; at best "
        f"{found.wall_hours:.2f} h on {found.slots} slots"
    )
    lines.append(f"disk          {shown_size(found.bytes)} without --store-budget")
    when = "measured now" if found.measured else "measured before; --recalibrate does so anew"
    lines.append(
        f"speed         {1000 * found.speed.step:.0f} ms per step of the intermediate phase on {found.speed.machine} ({when})"
    )
    return lines
