"""`tasksearch plan`: what a study will take, before anything of it runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch.cli.options import Concurrency, Gpus, Json, KeepTargets, Quiet, StorePath
from tasksearch.cli.printing import open_console, print_json

PLAN_EXAMPLES = (
    "Examples: `tasksearch plan --space ladder`; `tasksearch plan --space sequential --trials 64 --json`; "
    "`tasksearch plan --suite lowres --data DIR --model xlm-roberta-base --gpus-per-trial 1 --concurrency 8`"
)


def plan(
    space: Annotated[str, typer.Option(help="search space: a name or the path of a Python file")] = "joint_vs_seq",
    suite: Annotated[str, typer.Option(help="suite of tasks")] = "lab",
    target: Annotated[list[str] | None, typer.Option(help="target task, repeatable [default: as `run`]")] = None,
    language: Annotated[list[str] | None, typer.Option(help="language, repeatable [default: as `run`]")] = None,
    trials: Annotated[int, typer.Option(help="trainings of the search")] = 31,
    baseline_seeds: Annotated[int, typer.Option(help="seeds of the baseline")] = 5,
    leaders: Annotated[int, typer.Option(min=1, help="leaders that are re-run on fresh seeds")] = 3,
    leader_seeds: Annotated[int, typer.Option(min=1, help="fresh seeds of each leader at first")] = 3,
    seed: Annotated[int, typer.Option(help="seed of the study")] = 0,
    model: Annotated[str | None, typer.Option(help="XLM-R checkpoint [default: the lab's own]")] = None,
    data: Annotated[Path | None, typer.Option(help="folder of the suite's data [default: $TASKSEARCH_DATA]")] = None,
    sampler: Annotated[str, typer.Option(help="tpe or random")] = "tpe",
    lr_policy: Annotated[str, typer.Option(help="phase or stage")] = "phase",
    mixing: Annotated[str, typer.Option(help="task or mixed")] = "task",
    steps: Annotated[list[int] | None, typer.Option(help="steps of the intermediate phase, repeatable")] = None,
    target_steps: Annotated[
        int | None, typer.Option(min=1, help="steps of every target phase, in place of the suite's")
    ] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 or bf16")] = None,
    evaluation_examples: Annotated[
        int | None, typer.Option("--eval-examples", min=1, help="scored per language and half")
    ] = None,
    world_seed: Annotated[int, typer.Option(help="lab: seed of the generated world")] = 0,
    phase1_steps: Annotated[int | None, typer.Option(help="lab: shorter pretraining", show_default=False)] = None,
    concurrency: Concurrency = None,
    gpus_per_trial: Gpus = None,
    store: StorePath = None,
    keep_targets: KeepTargets = False,
    recalibrate: Annotated[bool, typer.Option("--recalibrate", help="time the steps anew")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Segments, sharing, hours with and without reuse, and disk of a study; times a few steps, once per machine and settings.

    What the search proposes rests on results that nobody has yet: it is drawn three times, under results drawn at random.
    """
    from tasksearch.cli.progress import Watch
    from tasksearch.study.forecast import forecast_study
    from tasksearch.study.run import configure

    config = configure(
        space=space, suite=suite, targets=target or (), languages=language or (), world_seed=world_seed,
        phase1_steps=phase1_steps, trials=trials, baseline_seeds=baseline_seeds, leaders=leaders, leader_seeds=leader_seeds,
        most_seeds=leader_seeds, seed=seed, model=model, data=str(data) if data else None, sampler=sampler, steps=steps or (),
        lr_policy=lr_policy, mixing=mixing, lag=max(4, concurrency or 1), overrides={
            "precision": precision, "target_steps": target_steps, "evaluation_examples": evaluation_examples,
        },
    )  # fmt: skip
    with Watch(config, quiet=quiet or as_json) as watch:
        found = forecast_study(
            config, store=store, slots=concurrency, gpus=gpus_per_trial or 0.0, keep_targets=keep_targets, again=recalibrate,
            on_pretrain=watch.on_pretrain,
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
