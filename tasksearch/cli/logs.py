"""`tasksearch logs`: the logs of a study's driver and trials; and `--verbose`, which shows the log as it is written."""

from __future__ import annotations

import functools
import inspect
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch.cli.options import Json, Study
from tasksearch.cli.printing import print_json

LOGS_EXAMPLES = (
    "Examples: `tasksearch logs STUDY`; `tasksearch logs STUDY --follow`; `tasksearch logs STUDY --trial 7 --lines 50`"
)
_POLL = 0.5  # seconds between two checks of a log that is being followed

Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="show the study's log on standard error, and write it in more detail")
]


def logs(
    study: Study,
    lines: Annotated[int, typer.Option(min=0, help="last lines to print; 0: all")] = 200,
    trial: Annotated[int | None, typer.Option(min=0, help="the log of that trial's process, and its traceback")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on printing what is written; Ctrl-C ends it")] = False,
    as_json: Json = False,
) -> None:
    """Prints the log of a study's driver, or of one of its trials."""
    from tasksearch.core.errors import BadInput
    from tasksearch.study.logs import last_lines, log_files

    if follow and as_json:
        raise BadInput("--follow with --json; expected one of them: a followed log has no end, a JSON object has")
    files = log_files(study, trial)
    found = last_lines(files, lines)
    if as_json:
        print_json({"study": str(study), "files": [str(path) for path in files], "lines": found})
        return
    for line in found:
        typer.echo(line)
    if follow:
        try:
            for line in followed(files[-1]):
                typer.echo(line)
        except KeyboardInterrupt:
            return


def followed(path: Path, pause: Callable[[], None] = lambda: time.sleep(_POLL)) -> Iterator[str]:
    """Yield the lines written to a file from now on, without end; the file may be rotated meanwhile."""
    file = path.open(encoding="utf-8", errors="replace")
    file.seek(0, 2)
    rest = ""
    try:
        while True:
            rest += file.read()
            *whole, rest = rest.split("\n")
            yield from whole
            if whole:
                continue
            if _is_another(path, file):
                file.close()
                file = path.open(encoding="utf-8", errors="replace")
            else:
                pause()
    finally:
        file.close()


def _is_another(path: Path, file: Any) -> bool:
    """Return whether the path now names another file than the one that was opened."""
    try:
        return path.stat().st_ino != os.fstat(file.fileno()).st_ino
    except FileNotFoundError:  # between the renaming and the first line of the new file
        return False


def verbosely(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option `--verbose` to the command, which shows the log on standard error while it runs."""

    @functools.wraps(command)
    def run(*args: Any, verbose: bool = False, **options: Any) -> Any:
        if not verbose:
            return command(*args, **options)
        from tasksearch.core.logs import log_to_terminal

        with log_to_terminal():
            return command(*args, **options)

    own = inspect.Parameter("verbose", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Verbose)
    signature = inspect.signature(command)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), own])  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, "verbose": Verbose}
    return run
