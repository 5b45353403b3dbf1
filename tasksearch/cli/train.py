"""`tasksearch train`: train one mix and save it as a model that transformers loads."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Self

import typer

from tasksearch.cli.completion import choice, complete_study, complete_suite, complete_target
from tasksearch.cli.options import Json, Quiet
from tasksearch.cli.printing import open_console, print_json, refuse_beside
from tasksearch.core.option import option_of
from tasksearch.core.options import StudyOptions

TRAIN_EXAMPLES = (
    "Examples: `tasksearch train --mix mix.toml --target tag --study studies/joint-lab-seed0 --out models/tag`; "
    "`tasksearch train --mix mix.toml --encoder-only --out models/encoder`"
)
FEATURES = option_of(StudyOptions, "features").choices
_LINE_EVERY = 15.0  # seconds between lines where there is no terminal


def train(
    mix: Annotated[Path, typer.Option(help="mix file, as `tasksearch best --out` writes it", show_default=False)],
    out: Annotated[Path, typer.Option(help="folder of the model, new or empty", show_default=False)],
    target: Annotated[
        str | None, typer.Option(help="labelled target whose model is saved", autocompletion=complete_target)
    ] = None,
    encoder_only: Annotated[bool, typer.Option("--encoder-only", help="save the encoder after the intermediate phase")] = False,
    study: Annotated[
        Path | None,
        typer.Option(
            help="study the mix comes from: gives suite, model, data, settings, and the card its scores",
            autocompletion=complete_study,
        ),
    ] = None,
    suite: Annotated[
        str | None, typer.Option(help="suite of tasks, without --study [default: lab]", autocompletion=complete_suite)
    ] = None,
    data: Annotated[Path | None, typer.Option(help="folder of the suite's data")] = None,
    model: Annotated[str | None, typer.Option(help="XLM-R checkpoint: hub id or folder [default: the lab's own]")] = None,
    seed: Annotated[
        int | None, typer.Option(help="seed of the plan [default: with --study that of the study's own training, else 0]")
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            help="cls: train classification heads on `<s>`, as transformers has them (another plan than pair-diff's)",
            **choice(*FEATURES),
        ),
    ] = None,
    world_seed: Annotated[int, typer.Option(help="lab: seed of the generated world")] = 0,
    phase1_steps: Annotated[int | None, typer.Option(help="lab: shorter pretraining", show_default=False)] = None,
    force: Annotated[
        bool, typer.Option("--force", help="replace what is in --out; what no export wrote is kept beside")
    ] = False,
    register: Annotated[
        str | None, typer.Option(help="name in MLflow's model registry: the folder becomes its next version")
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Trains one mix as a trial does and saves a Hugging Face folder: weights, tokenizer, model card, runnable example."""
    from tasksearch.study.train import export_model

    if study is not None:
        refuse_beside("--study", world_seed=world_seed, phase1_steps=phase1_steps)
    if encoder_only:
        refuse_beside("--encoder-only", features=features)
    with _Bars(quiet=quiet or as_json) as bars:
        done = export_model(
            mix, out, target=target, encoder_only=encoder_only, study=study, suite=suite,
            data=str(data) if data else None, model=model, seed=seed, features=features, world_seed=world_seed,
            phase1_steps=phase1_steps, force=force, register=register,
            on_step=bars.on_step, on_pretrain=bars.on_pretrain,
        )  # fmt: skip
    if as_json:
        print_json(done.to_json())
        return
    _print(done)


def _print(done: Any) -> None:
    from rich.table import Table

    console = open_console()
    table = Table(title=f"{done.architecture}, reporting examples", title_justify="left")
    for name in ("target", "language", "metric"):
        table.add_column(name)
    for name in ("score", "95 %", "n"):
        table.add_column(name, justify="right")
    for row in done.scores:
        ends = "no interval" if row["low"] is None else f"[{row['low']:.1f}, {row['high']:.1f}]"
        cells = (row["target"], row["language"], row["metric"], f"{row['value']:.1f}", ends, str(row["examples"]))
        table.add_row(*cells)
    if done.scores:
        console.print(table)
        console.print("intervals over examples alone: one model of one seed", highlight=False)
    origin = done.origin or {}
    if origin.get("trial") is not None and not origin["differing"]:
        console.print(f"equal to trial {origin['trial']} of {origin['study']}, example by example", highlight=False)
    for warning in done.warnings:
        console.print(warning, highlight=False, markup=False)
    console.print(f"model    {done.folder}\nexample  python {done.folder / 'example.py'}", highlight=False, soft_wrap=True)
    if done.registered:
        console.print(f"registry {done.registered}", highlight=False, soft_wrap=True)


class _Bars:
    """Shows a bar per part on a terminal, otherwise occasional lines."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self._live, self._quiet, self._told = console.is_terminal and not quiet, quiet, 0.0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, disable=not self._live)
        self._rows: dict[str, Any] = {}
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def on_step(self, part: str, step: int, steps: int) -> None:
        """Show a gradient step of a part."""
        if self._live:
            if part not in self._rows:
                self._rows[part] = self._progress.add_task(part, total=steps)
            self._progress.update(self._rows[part], completed=step)
        elif not self._quiet and (step == steps or time.monotonic() - self._told > _LINE_EVERY):
            self._told = time.monotonic()
            print(f"{self._told - self._began:6.0f} s  {part}, step {step}/{steps}", file=sys.stderr, flush=True)

    def on_pretrain(self, step: int, steps: int, loss: float) -> None:
        """Show the lab's pretraining."""
        self.on_step("phase 1: pretraining the lab's model", step, steps)
