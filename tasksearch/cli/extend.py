"""`tasksearch extend`: a finished study gains trials, a wider space, targets, languages or seeds."""

from __future__ import annotations

from typing import Annotated

import typer

from tasksearch.cli import run
from tasksearch.cli.options import (
    AcceptVersions,
    Address,
    Concurrency,
    Gpus,
    Json,
    KeepTargets,
    MaxGpuHours,
    MaxHours,
    OptunaStorage,
    Quiet,
    SnapshotMinutes,
    StoreBudget,
    StorePath,
    Study,
    Timings,
)

EXTEND_EXAMPLES = (
    "Examples: `tasksearch extend STUDY --trials +16`; `tasksearch extend STUDY --language sw --target tag`; "
    "`tasksearch extend STUDY --task sort --trials +10`; `tasksearch extend STUDY --leader-seeds 5 --most-seeds 7`"
)


def extend(
    study: Study,
    trials: Annotated[str | None, typer.Option(help="more trials of the search: +16, or the new total")] = None,
    target: Annotated[list[str] | None, typer.Option(help="target that joins, repeatable: finished trials get it too")] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="language that joins, repeatable: finished trials get it too")
    ] = None,
    task: Annotated[list[str] | None, typer.Option(help="intermediate task that joins the space, repeatable")] = None,
    schedule: Annotated[list[str] | None, typer.Option(help="kind of schedule that joins the space, repeatable")] = None,
    steps: Annotated[list[int] | None, typer.Option(help="length that joins the space, repeatable")] = None,
    leaders: Annotated[int | None, typer.Option(help="new number of leaders")] = None,
    leader_seeds: Annotated[int | None, typer.Option(help="new number of fresh seeds of each leader at first")] = None,
    most_seeds: Annotated[int | None, typer.Option(help="new limit of fresh seeds of a leader")] = None,
    baseline_seeds: Annotated[int | None, typer.Option(help="new number of the baseline's seeds")] = None,
    concurrency: Concurrency = None,
    gpus_per_trial: Gpus = 0.0,
    address: Address = None,
    store: StorePath = None,
    store_budget: StoreBudget = None,
    optuna_storage: OptunaStorage = None,
    keep_targets: KeepTargets = False,
    accept_versions: AcceptVersions = False,
    snapshot_minutes: SnapshotMinutes = 10.0,
    max_hours: MaxHours = None,
    max_gpu_hours: MaxGpuHours = None,
    timings: Timings = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Extends a finished study; its trials, segments and score tables are reused, its records stay as they are.

    The search goes on under its old objective: a target or language that joins is scored in every trial and steers none. The
    reporting examples is not new: `best` refuses another choice of mix without --reopen.
    """
    from tasksearch.study.best import open_suite
    from tasksearch.study.extend import Growth, extend_study, extended

    growth = Growth(
        trials=trials, targets=tuple(target or ()), languages=tuple(language or ()), tasks=tuple(task or ()),
        schedules=tuple(schedule or ()), steps=tuple(steps or ()), leaders=leaders, leader_seeds=leader_seeds,
        most_seeds=most_seeds, baseline_seeds=baseline_seeds,
    )  # fmt: skip
    resources = run.resources_of(
        concurrency, gpus_per_trial, address, store, store_budget, keep_targets, snapshot_minutes, max_hours, max_gpu_hours,
        optuna_storage, accept_versions,
    )  # fmt: skip
    wanted = extended(*open_suite(study), growth)
    run.follow(
        study, wanted, lambda **watch: extend_study(study, growth, resources=resources, **watch), timings, quiet, as_json
    )
