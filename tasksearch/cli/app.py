"""The commands, one line each. Heavy libraries are imported by the functions they call, so that `--help` answers at once."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tasksearch import __version__
from tasksearch.cli import (
    bench,
    catalogue,
    check,
    data,
    data_check,
    extend,
    plan,
    pretrain,
    report,
    run,
    score,
    store,
    torture,
    train,
    ui,
)
from tasksearch.cli import best as look
from tasksearch.cli.fault_log import EXIT_CODE, unforeseen
from tasksearch.cli.panels import BENCH, PRETRAIN, TRAIN, grouped
from tasksearch.cli.short import short
from tasksearch.core.errors import TasksearchError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Finds which English intermediate tasks, in which mix, jointly or one after the other, help zero-shot transfer.",
    epilog="Start with: `tasksearch run --space joint_vs_seq`",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tasksearch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")] = False,
) -> None:
    pass


app.command(epilog=run.RUN_EXAMPLES)(grouped(run.run))
app.command(epilog=run.RESUME_EXAMPLES)(grouped(run.resume))
app.command(epilog=plan.PLAN_EXAMPLES)(grouped(plan.plan))
app.command(epilog=extend.EXTEND_EXAMPLES)(grouped(extend.extend))
app.command(epilog=look.BEST_EXAMPLES)(short(look.best))
app.command()(short(look.trials))
app.command(epilog=check.CHECK_EXAMPLES)(check.check)
app.command()(look.spaces)
app.command(epilog=catalogue.TASKS_EXAMPLES)(catalogue.tasks)
app.command(epilog=catalogue.LANGUAGES_EXAMPLES)(catalogue.languages)
app.command(epilog=score.SCORE_EXAMPLES)(score.score)
data.app.command(epilog=data_check.CHECK_EXAMPLES)(data_check.check)
app.add_typer(data.app, name="data")
app.command(epilog=pretrain.PRETRAIN_EXAMPLES)(grouped(pretrain.pretrain, PRETRAIN))
app.command(epilog=report.REPORT_EXAMPLES)(short(report.report))
app.command(epilog=train.TRAIN_EXAMPLES)(grouped(train.train, TRAIN))
app.command(epilog=bench.BENCH_EXAMPLES)(grouped(bench.bench, BENCH))
app.add_typer(store.app, name="store")
app.command(epilog=torture.TORTURE_EXAMPLES)(torture.torture)
app.command(epilog=ui.UI_EXAMPLES)(ui.ui)


def run_app() -> None:
    """Runs the command line: any fault is one line on standard error and an exit code, never a traceback; one that nobody
    foresaw names the log that holds it.
    """
    try:
        app()
    except TasksearchError as error:
        typer.echo(f"tasksearch: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("tasksearch: interrupted; `tasksearch resume STUDY` goes on", err=True)
        sys.exit(130)
    except Exception as fault:
        typer.echo(f"tasksearch: {unforeseen(fault)}", err=True)
        sys.exit(EXIT_CODE)
