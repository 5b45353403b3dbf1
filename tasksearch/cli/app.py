"""The commands. Each imports heavy libraries only when it is called, so that `--help` answers at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

from tasksearch import __version__
from tasksearch.cli import (
    bench,
    catalogue,
    check,
    compare,
    contract,
    data,
    data_check,
    data_get,
    extend,
    logs,
    mine,
    model,
    plan,
    predict,
    pretrain,
    printing,
    report,
    run,
    score,
    store,
    torture,
    train,
    ui,
)
from tasksearch.cli import best as look
from tasksearch.cli.panels import BENCH, MINE, PRETRAIN, TRAIN, grouped
from tasksearch.cli.short import short
from tasksearch.cli.surroundings import check_surroundings
from tasksearch.core.address import without_secrets_in
from tasksearch.core.errors import Interrupted, TasksearchError, first_line
from tasksearch.core.logs import log_unexpected

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


SEARCH, LOOK, DATA, MODELS, MAINTAIN = "Search", "Look at a study", "Tasks and data", "Models", "Maintain"
"""Groups of commands in `--help`, in this order."""


def _command(group: str, command: Callable[..., Any], examples: str | None = None) -> None:
    app.command(rich_help_panel=group, epilog=examples)(command)


_command(SEARCH, grouped(logs.verbosely(run.run)), run.RUN_EXAMPLES)
_command(SEARCH, grouped(logs.verbosely(run.resume)), run.RESUME_EXAMPLES)
_command(SEARCH, grouped(logs.verbosely(extend.extend)), extend.EXTEND_EXAMPLES)
_command(SEARCH, grouped(plan.plan), plan.PLAN_EXAMPLES)
_command(SEARCH, look.spaces)
_command(LOOK, short(look.best), look.BEST_EXAMPLES)
_command(LOOK, short(look.trials))
_command(LOOK, compare.compare, compare.COMPARE_EXAMPLES)
_command(LOOK, short(report.report), report.REPORT_EXAMPLES)
_command(LOOK, logs.logs, logs.LOGS_EXAMPLES)
_command(LOOK, ui.ui, ui.UI_EXAMPLES)
_command(DATA, catalogue.tasks, catalogue.TASKS_EXAMPLES)
_command(DATA, catalogue.languages, catalogue.LANGUAGES_EXAMPLES)
_command(DATA, contract.contract, contract.CONTRACT_EXAMPLES)
data.app.command(epilog=data_check.CHECK_EXAMPLES)(data_check.check)
data.app.command(epilog=data_get.GET_EXAMPLES)(data_get.get)
app.add_typer(data.app, name="data", rich_help_panel=DATA)
_command(MODELS, grouped(train.train, TRAIN), train.TRAIN_EXAMPLES)
_command(MODELS, grouped(pretrain.pretrain, PRETRAIN), pretrain.PRETRAIN_EXAMPLES)
_command(MODELS, predict.predict, predict.PREDICT_EXAMPLES)
_command(MODELS, mine.embed, mine.EMBED_EXAMPLES)
_command(MODELS, grouped(mine.mine, MINE), mine.MINE_EXAMPLES)
_command(MODELS, score.score, score.SCORE_EXAMPLES)
app.add_typer(model.app, name="model", rich_help_panel=MODELS)
app.add_typer(store.app, name="store", rich_help_panel=MAINTAIN)
_command(MAINTAIN, check.check, check.CHECK_EXAMPLES)
_command(MAINTAIN, torture.torture, torture.TORTURE_EXAMPLES)
_command(MAINTAIN, grouped(bench.bench, BENCH), bench.BENCH_EXAMPLES)


def run_app() -> None:
    """Run the command line and exit with its exit code.

    Any error is printed as one line on standard error, never as a traceback; for an unexpected error the line names a log that
    holds the traceback. With `--json` standard output holds exactly one object: the answer, or `{"error": …, "kind": …,
    "exit_code": …}`.
    """
    try:
        check_surroundings()
        code = app(standalone_mode=False, prog_name="tasksearch")
    except TasksearchError as error:
        _fail(error, str(error), error.exit_code)
    except KeyboardInterrupt:
        code = Interrupted.exit_code
    except Exception as error:
        if isinstance(error, _UsageError) and hasattr(error, "format_message"):
            _usage(error)
        _fail(error, _unexpected(error), UNEXPECTED)
    if code == Interrupted.exit_code:  # typer takes Ctrl-C within a command for an exit code
        _fail(Interrupted(), "interrupted", code)
    sys.exit(code if isinstance(code, int) else 0)


UNEXPECTED = 70
"""Exit code of an error of the program, not of its input (EX_SOFTWARE of sysexits.h)."""


def _unexpected(error: Exception) -> str:
    """Return the line to print; the traceback goes to a log."""
    said = without_secrets_in(f"{type(error).__name__}: {first_line(error)}")
    try:
        where = f"the traceback is in {log_unexpected(error)}"
    except OSError:
        where = "no log could be written"
    return f"unexpected error: {said}; what is finished is kept, {where}"


_UsageError = typer.BadParameter.__mro__[2]
"""Click's `ClickException`. typer brings its own click, whose module names differ between versions, so it is looked up here."""


def _usage(error: Any) -> NoReturn:
    """Report a usage error in one line; print the help of a command that was given no arguments but needs some."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        sys.exit(error.exit_code)
    command = getattr(getattr(error, "ctx", None), "command_path", "tasksearch")
    said = _settled(getattr(error, "option_name", ""), command) or " ".join(error.format_message().split()).rstrip(".")
    _fail(error, f"{said} (`{command} --help` shows what it takes)", error.exit_code)


def _settled(flag: str, command: str) -> str:
    """Return why `resume` and `extend` do not take an option of a new study; empty for another option or command."""
    from tasksearch.core.option import options_of
    from tasksearch.core.options import StudyOptions

    if not command.endswith((" resume", " extend")) or not any(flag in one.flags for one in options_of(StudyOptions)):
        return ""
    other = "; `tasksearch run --model MODEL --from-study STUDY` trains its mixes on another one" if flag == "--model" else ""
    return f"{flag} is settled when a study is made{other}"


def _fail(error: BaseException, said: str, code: int) -> NoReturn:
    if "--json" in sys.argv and not printing.answered():
        printing.print_json({"error": said, "kind": type(error).__name__, "exit_code": code})
    typer.echo(f"tasksearch: {said}", err=True)
    sys.exit(code)
