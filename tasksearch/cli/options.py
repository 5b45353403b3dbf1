"""Options that several commands share, each defined and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasksearch.cli.completion import complete_study

Study = Annotated[
    Path, typer.Argument(help="study folder, as `run` printed it", show_default=False, autocompletion=complete_study)
]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on standard output, for scripts")]
Reopen = Annotated[bool, typer.Option("--reopen", hidden=True)]
"""Accepted and without effect: a second look at reporting examples needed it once, and is only marked adaptive now."""
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="no progress, results only")]
Timings = Annotated[bool, typer.Option("--timings", help="print start-up time and the overhead per trial")]
