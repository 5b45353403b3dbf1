"""Options that several commands share, each spelt and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Study = Annotated[Path, typer.Argument(help="study folder, as `run` printed it", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on standard output, for scripts")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="no progress, results only")]
Concurrency = Annotated[
    int | None, typer.Option(min=1, help="trials at once [default: cores this process may use, one thread each]")
]
Gpus = Annotated[
    float | None,
    typer.Option(
        "--gpus-per-trial",
        min=0,
        help="GPUs of one trial; 0.5 lets two share one, 0 trains on CPUs [default: 1 where there are GPUs]",
    ),
]
Address = Annotated[str | None, typer.Option(help="Ray cluster: auto, host:port or ray://host:port [default: this machine]")]
Timings = Annotated[bool, typer.Option("--timings", help="print start-up time and the overhead per trial")]
StorePath = Annotated[str | None, typer.Option("--store", help="segment store: folder or fsspec URL [default: in the study]")]
StoreBudget = Annotated[str | None, typer.Option(help="what the store may take, such as 50GB [default: no limit]")]
OptunaStorage = Annotated[
    str | None,
    typer.Option(
        "--optuna-storage",
        help="database of the Optuna study: sqlite:///FILE, postgresql://…, mysql://…, or journal; kept without its password "
        "[default: as before, $TASKSEARCH_OPTUNA_STORAGE, else a journal in the study]",
    ),
]
AcceptVersions = Annotated[
    bool,
    typer.Option("--accept-versions", help="go on with a study or store that other code or packages trained, and mix the two"),
]
KeepTargets = Annotated[
    bool, typer.Option("--keep-targets", help="keep every target's weights: a language that joins later then trains nothing")
]
SnapshotMinutes = Annotated[float, typer.Option(min=0, help="minutes between snapshots inside a segment; 0: none")]
MaxHours = Annotated[float | None, typer.Option(min=0, help="end after so many hours, to be resumed; exit code 75")]
MaxGpuHours = Annotated[float | None, typer.Option(min=0, help="end after so many GPU-hours of trials, to be resumed")]
