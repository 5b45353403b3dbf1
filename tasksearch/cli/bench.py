"""`tasksearch bench`: measure samplers and pickers where the true answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasksearch.cli.options import Json, Quiet
from tasksearch.cli.printing import open_console, print_json
from tasksearch.core.errors import Interrupted

BENCH_EXAMPLES = (
    "Examples: `tasksearch bench --family tune --worlds 20`; `tasksearch bench --sampler tpe --picker my_picker.py`; "
    "`tasksearch bench --family regmix --data replay/regmix --worlds 20 --trials 32,64,128`; "
    "`tasksearch bench --family study --data benchmarks/data/real_study --sampler auto`"
)


def bench(
    family: Annotated[
        str, typer.Option(help="planted worlds (tune, held, null, one, pair …), or recorded runs: regmix, lab-grid, study")
    ] = "tune",
    sampler: Annotated[
        str, typer.Option(help="random, auto, tpe, one of Optuna's, FILE.py:NAME, or a file with a function `sample`")
    ] = "random",
    picker: Annotated[str, typer.Option(help="pooled, bare, single, or a Python file with a function `worth`")] = "pooled",
    trials: Annotated[
        str | None,
        typer.Option(
            help="numbers of trials, with commas between [default: 24,48,96; of a recorded study what it has]",
            show_default=False,
        ),
    ] = None,
    worlds: Annotated[int, typer.Option(min=1, help="how many worlds, or orders of the recorded pool")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="number of the first world")] = 0,
    most_seeds: Annotated[int, typer.Option(min=3, help="fresh seeds of a finalist at most; 3: no race")] = 3,
    data: Annotated[Path | None, typer.Option(help="folder of RegMix's recorded runs or of a study, or file of a grid")] = None,
    keep: Annotated[Path | None, typer.Option(help="file of finished worlds; a second run goes on where it stopped")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Regret, optimism and coverage of a sampler and a picker per number of trials, on planted worlds or recorded runs."""
    from tasksearch.bench.campaign import STUDY, BenchConfig, counts_of, limits_of, recorded_sizes
    from tasksearch.bench.campaign import bench as measured
    from tasksearch.bench.table import console_table

    counts = recorded_sizes(data) if trials is None and family == STUDY else counts_of(trials or "24,48,96")
    config = BenchConfig(
        problem=family,
        worlds=worlds,
        first=seed,
        trials=counts,
        sampler=sampler,
        picker=picker,
        most_seeds=most_seeds,
        data=data,
    )
    try:
        rows = measured(config, keep=keep, on_world=None if quiet or as_json else _progress)
    except KeyboardInterrupt:
        on = f"the same command goes on from what {keep} holds" if keep else "with --keep FILE a second run goes on"
        raise Interrupted(f"interrupted; {on}") from None
    if as_json:
        about = {"family": family, "sampler": sampler, "picker": picker, "first": seed, "worlds": worlds}
        print_json(about | {"rows": rows.summary(), "limits": list(limits_of(config))})
        return
    what = "orders" if family in ("regmix", "lab-grid", "study") else "worlds"
    console = open_console()
    console.print(console_table(rows, title=f"{family}: {worlds} {what} from {seed}, sampler {sampler}"))
    for sentence in limits_of(config):
        console.print(sentence, highlight=False)


def _progress(done: int, total: int) -> None:
    if done == total or done % max(1, total // 20) == 0:
        typer.echo(f"{done} of {total}", err=True)
