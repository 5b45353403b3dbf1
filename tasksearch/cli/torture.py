"""`tasksearch torture`: kill studies on purpose, and check that they end with the numbers of undisturbed ones."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from tasksearch.cli.completion import choice
from tasksearch.cli.options import Json
from tasksearch.cli.printing import print_json
from tasksearch.torture.layers import KILLS

TORTURE_EXAMPLES = (
    "Examples: `tasksearch torture --layer store --kills 100` (minutes), `tasksearch torture --layer all --out /scratch/t` "
    "(hours; after a break the same command goes on)"
)


def torture(
    layer: Annotated[str, typer.Option(help="what is killed", **choice(*KILLS, "all"))] = "store",
    kills: Annotated[int | None, typer.Option(min=1, help="SIGKILLs of each layer [default: 1000, 60, 60, 20, 20]")] = None,
    seed: Annotated[int | None, typer.Option(help="of every draw [default: drawn, and printed]")] = None,
    out: Annotated[Path | None, typer.Option(help="folder of the tortured studies and of the logs")] = None,
    as_json: Json = False,
) -> None:
    """Kills studies on purpose, on this machine and file system: exit code 0 where all end as if nobody had.

    Layers: `store`, bare processes at named crash points of store, journal, records and MLflow, with full disks, cut files
    and a server that goes away; `drivers` and `workers`, through Ray over recorded scores; `trainer`, both over the real
    tiny trainer; `commands`, the command line itself, with files flipped, cut and deleted and the folder moved or copied.
    The logs stay in the folder; a torture that is broken off goes on with the same command and the same code.
    """
    from tasksearch.torture.layers import run_layers, seed_of

    folder = out or Path(f"torture-{time.strftime('%Y%m%d-%H%M%S')}")
    drawn = seed_of(folder, seed)
    typer.echo(f"seed {drawn}, logs in {folder}", err=as_json)
    done = run_layers(layer, kills, drawn, folder, say=lambda line: typer.echo(line, err=as_json))
    if as_json:
        print_json({"seed": drawn, "out": str(folder), "layers": [campaign.to_json() for campaign in done]})
