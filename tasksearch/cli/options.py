"""Options that several commands share, each spelt and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Study = Annotated[Path, typer.Argument(help="study folder, as `run` printed it", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on standard output, for scripts")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="no progress, results only")]
Concurrency = Annotated[int | None, typer.Option(min=1, help="trials at once [default: cores, one thread each]")]
Gpus = Annotated[float, typer.Option("--gpus-per-trial", min=0, help="GPUs of one trial; 0.5 lets two trials share one")]
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
KeepTargets = Annotated[
    bool, typer.Option("--keep-targets", help="keep every target's weights: a language that joins later then trains nothing")
]
AcceptVersions = Annotated[
    bool,
    typer.Option("--accept-versions", help="go on under other versions than the study was trained with; they are noted"),
]
Retrain = Annotated[
    bool,
    typer.Option("--retrain", help="train every trial again under the versions that are here; the records are kept beside"),
]
SnapshotMinutes = Annotated[float, typer.Option(min=0, help="minutes between snapshots inside a segment; 0: none")]
MaxHours = Annotated[float | None, typer.Option(min=0, help="end after so many hours, to be resumed; exit code 75")]
MaxGpuHours = Annotated[float | None, typer.Option(min=0, help="end after so many GPU-hours of trials, to be resumed")]
