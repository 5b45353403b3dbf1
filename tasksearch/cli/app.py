"""The commands. Heavy libraries are imported by the functions they call, so that `--help` answers at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch import __version__
from tasksearch.core.errors import BadInput, Interrupted, StudyNotReady, TasksearchError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Finds which English intermediate tasks, in which mix, jointly or one after the other, help zero-shot transfer.",
    epilog="Start with: `tasksearch run --space joint_vs_seq`",
)

Study = Annotated[Path, typer.Argument(help="study folder, as `run` printed it", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on standard output, for scripts")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="no progress, results only")]
Concurrency = Annotated[int | None, typer.Option(min=1, help="trials at once [default: cores, one thread each]")]
Gpus = Annotated[float, typer.Option("--gpus-per-trial", min=0, help="GPUs of one trial; 0.5 lets two trials share one")]
Address = Annotated[str | None, typer.Option(help="Ray cluster: auto, host:port or ray://host:port [default: this machine]")]
Timings = Annotated[bool, typer.Option("--timings", help="print start-up time and the overhead per trial")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tasksearch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")] = False,
) -> None:
    pass


@app.command(epilog="Examples: `tasksearch run`; `tasksearch run --space single_task --target nli --trials 13 --seed 1`")
def run(
    space: Annotated[
        str, typer.Option(help="search space: a name (`tasksearch spaces`) or the path of a Python file")
    ] = "joint_vs_seq",
    suite: Annotated[str, typer.Option(help="suite of tasks")] = "lab",
    target: Annotated[list[str] | None, typer.Option(help="target task, repeatable [default: all of the suite]")] = None,
    language: Annotated[list[str] | None, typer.Option(help="language, repeatable [default: all of the targets]")] = None,
    trials: Annotated[int, typer.Option(help="trainings of the search, the baseline's seeds included, finalists not")] = 31,
    baseline_seeds: Annotated[int, typer.Option(help="seeds of the baseline, at least 3")] = 5,
    leaders: Annotated[int, typer.Option(min=1, help="leaders that are re-run on fresh seeds")] = 3,
    leader_seeds: Annotated[int, typer.Option(min=1, help="fresh seeds of each leader; below 3 no interval is given")] = 3,
    seed: Annotated[int, typer.Option(help="seed of the study")] = 0,
    model: Annotated[str | None, typer.Option(help="XLM-R checkpoint: hub id or folder [default: the lab's own]")] = None,
    data: Annotated[Path | None, typer.Option(help="folder of the suite's data [default: the lab writes its own]")] = None,
    name: Annotated[str | None, typer.Option(help="name of the study [default: space-suite-seed]")] = None,
    out: Annotated[Path | None, typer.Option(help="study folder [default: studies/NAME]")] = None,
    sampler: Annotated[str, typer.Option(help="tpe or random")] = "tpe",
    scheduler: Annotated[str, typer.Option(help="fifo, or asha to stop weak trials early")] = "fifo",
    lag: Annotated[int, typer.Option(min=1, help="trial n is proposed from the results of trials 0 … n-lag")] = 4,
    lr_policy: Annotated[str, typer.Option(help="phase: one learning-rate curve over all stages; stage: one each")] = "phase",
    mixing: Annotated[str, typer.Option(help="task: a step is of one task; mixed: every step holds all tasks")] = "task",
    continuous: Annotated[bool, typer.Option("--continuous", help="free shares instead of eighths")] = False,
    concurrency: Concurrency = None,
    gpus_per_trial: Gpus = 0.0,
    address: Address = None,
    tracking_uri: Annotated[str | None, typer.Option(help="MLflow server [default: SQLite in the study folder]")] = None,
    world_seed: Annotated[int, typer.Option(help="lab: seed of the generated world")] = 0,
    phase1_steps: Annotated[
        int | None, typer.Option(help="lab: shorter pretraining, for a quick look", show_default=False)
    ] = None,
    timings: Timings = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Searches for the best intermediate mix per language; ends with the table of what was found."""
    from tasksearch.study.run import DEFAULT_FOLDER, Resources, configure, run_study

    _one_of("--lr-policy", lr_policy, ("phase", "stage"))
    _one_of("--mixing", mixing, ("task", "mixed"))
    config = configure(
        space=space, suite=suite, name=name, targets=target or (), languages=language or (), continuous=continuous,
        world_seed=world_seed, phase1_steps=phase1_steps, trials=trials, baseline_seeds=baseline_seeds, leaders=leaders,
        leader_seeds=leader_seeds, seed=seed, model=model, data=str(data) if data else None,
        sampler=sampler, scheduler=scheduler,
        lag=max(lag, concurrency or 1), lr_policy=lr_policy, mixing=mixing, tracking_uri=tracking_uri,
    )  # fmt: skip
    folder = out or DEFAULT_FOLDER / config.name
    resources = Resources(concurrency=concurrency, gpus_per_trial=gpus_per_trial, address=address)
    _follow(folder, config, lambda **watch: run_study(config, folder, resources=resources, **watch), timings, quiet, as_json)


@app.command(epilog="Example: `tasksearch resume studies/joint_vs_seq-lab-seed0`")
def resume(
    study: Study,
    concurrency: Concurrency = None,
    gpus_per_trial: Gpus = 0.0,
    address: Address = None,
    timings: Timings = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Goes on with an interrupted or killed study; what is finished is kept."""
    from tasksearch.study.best import open_study
    from tasksearch.study.run import Resources, resume_study

    config, _, _ = open_study(study)
    resources = Resources(concurrency=concurrency, gpus_per_trial=gpus_per_trial, address=address)
    _follow(study, config, lambda **watch: resume_study(study, resources=resources, **watch), timings, quiet, as_json)


def _follow(folder: Path, config: Any, call: Any, timings: bool, quiet: bool, as_json: bool) -> None:
    from tasksearch.cli.progress import Watch
    from tasksearch.study.best import open_study

    with Watch(config, quiet=quiet or as_json) as watch:
        try:
            summary = call(on_event=watch.on_event, on_pretrain=watch.on_pretrain)
        except KeyboardInterrupt:
            begun = (folder / "study.json").exists()
            way = f"go on with: tasksearch resume {folder}" if begun else "nothing was begun yet, run the same command again"
            raise Interrupted(f"interrupted; {way}") from None
    verdict = _verdict_of(folder)
    facts = {
        "done": summary.done, "failed": summary.failed, "stopped": summary.stopped, "seconds": summary.seconds,
        "first_step_seconds": summary.first_step_seconds, "overhead_seconds": summary.overhead_seconds,
    }  # fmt: skip
    if as_json:
        typer.echo(json.dumps({"study": str(folder), "summary": facts, "verdict": verdict.to_json()}))
        return
    console = _console()
    _, suite, records = open_study(folder)
    _print_verdict(console, verdict, suite.warning)
    plans = len({record.plan.mix_signature for record in records})
    console.print(
        f"{plans} plans, {len(records)} trainings ({summary.failed} failed) in {summary.seconds:.0f} s", highlight=False
    )
    if timings and summary.first_step_seconds is not None:
        console.print(
            f"start to first training step {summary.first_step_seconds:.1f} s (phase 1 aside); "
            f"Ray, Optuna and MLflow added {summary.overhead_seconds:.2f} s a trial (median)",
            highlight=False,
        )
    console.print(
        f"study    {folder}\ndetails  tasksearch best {folder} --language NAME\ncompare  tasksearch ui {folder}",
        highlight=False,
        soft_wrap=True,
    )


def _verdict_of(folder: Path) -> Any:
    """By pivot-dev, or english-dev for a study of one language, which has no other to choose on; the table names the rule."""
    from tasksearch.study.best import best_of

    try:
        return best_of(folder)
    except StudyNotReady:
        return best_of(folder, rule="english-dev")


@app.command(
    epilog="Examples: `tasksearch best STUDY --select target-dev`; `tasksearch best STUDY --language sw --out mix.toml`"
)
def best(
    study: Study,
    language: Annotated[str | None, typer.Option(help="one language or group: its targets in detail")] = None,
    select: Annotated[str, typer.Option(help="selection rule: pivot-dev, english-dev or target-dev")] = "pivot-dev",
    out: Annotated[Path | None, typer.Option(help="write the mix of --language as TOML")] = None,
    as_json: Json = False,
) -> None:
    """Per language: the chosen mix, its gain over no intermediate phase, with a 95% interval."""
    from tasksearch.study.best import best_of, open_study

    if out is not None and language is None:
        raise BadInput("--out needs --language: a mix file holds one mix")
    verdict = best_of(study, rule=select, languages=[language] if language else None)
    if out is not None and language is not None:
        from tasksearch.search.ledger import write_atomic
        from tasksearch.search.mixfile import mix_toml

        write_atomic(out, mix_toml(verdict[language]).encode())
    if as_json:
        typer.echo(json.dumps(verdict.to_json()))
        return
    console, (_, suite, _) = _console(), open_study(study)
    _print_verdict(console, verdict, suite.warning)
    if language is not None:
        from tasksearch.reports.tables import target_table

        chance = {card.name: card.chance for card in suite.targets}
        console.print(target_table(verdict[language], chance=chance, warning=suite.warning))
    if out is not None:
        console.print(f"wrote {out}", highlight=False)


@app.command()
def trials(study: Study, as_json: Json = False) -> None:
    """Every trial of a study: role, schedule, objective, seconds."""
    from tasksearch.reports.tables import trial_table
    from tasksearch.study.best import open_study

    _, suite, records = open_study(study)
    if as_json:
        typer.echo(json.dumps([record.to_json() for record in records]))
    else:
        _console().print(trial_table(records, warning=suite.warning))


@app.command()
def spaces(as_json: Json = False) -> None:
    """Search spaces that come with the package; copy one, edit it, and give its path to `run --space`."""
    from tasksearch.study.spaces import known_spaces

    found = known_spaces()
    if as_json:
        typer.echo(json.dumps({name: space.summary for name, space in found.items()}))
        return
    for name, space in found.items():
        typer.echo(f"{name:14} {space.summary}")


@app.command(epilog="Example: `tasksearch ui studies/joint_vs_seq-lab-seed0`")
def ui(
    study: Study,
    port: Annotated[int | None, typer.Option(help="on loopback [default: a free one]")] = None,
    best_runs: Annotated[int, typer.Option("--best", min=2, help="how many of the best runs the compare link holds")] = 6,
) -> None:
    """Opens the MLflow page of a study on loopback and prints the link that compares its best runs; Ctrl-C ends it."""
    from tasksearch.study.compare import open_page

    with open_page(study, port=port, best=best_runs) as page:
        typer.echo(f"compare  {page.compare}\nall runs {page.runs}\n(loopback only; Ctrl-C ends it)")
        try:
            page.server.wait()
        except KeyboardInterrupt:
            return


def _one_of(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        from tasksearch.core.errors import UnknownName

        raise UnknownName(f"value for {option}", value, known)


def _print_verdict(console: Any, verdict: Any, warning: str) -> None:
    from tasksearch.reports.tables import verdict_table

    console.print(verdict_table(verdict, warning=warning))


def _console() -> Any:
    from rich.console import Console

    return Console()


def run_app() -> None:
    """Runs the command line: a `TasksearchError` is one line on standard error and its exit code, never a traceback."""
    try:
        app()
    except TasksearchError as error:
        typer.echo(f"tasksearch: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("tasksearch: interrupted; `tasksearch resume STUDY` goes on", err=True)
        sys.exit(130)
