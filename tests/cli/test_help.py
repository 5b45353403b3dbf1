"""`--help` and tables on the width there is: options in groups, columns as asked for."""

import inspect
import subprocess
import sys

import pytest
import typer
from typer.models import OptionInfo
from typer.testing import CliRunner

from tasksearch.cli import panels
from tasksearch.cli.app import app
from tasksearch.cli.printing import PIPED


def options_of(command):
    """Parameter → its option, as the command was registered."""
    found = {}
    for name, parameter in inspect.signature(command).parameters.items():
        for one in getattr(parameter.annotation, "__metadata__", ()):
            if isinstance(one, OptionInfo):
                found[name] = one
    return found


COMMANDS = {one.callback.__name__: one.callback for one in app.registered_commands}
MOST = panels.MANY + len(panels.PRINTING)
MANY = sorted(name for name, command in COMMANDS.items() if len(inspect.signature(command).parameters) > MOST)


def test_every_command_of_many_options_is_shown_in_groups():
    assert {"run", "resume", "extend", "plan", "pretrain"} <= set(MANY)


@pytest.mark.parametrize("name", [*MANY, "train", "bench"])
def test_every_option_stands_under_a_heading_but_those_of_printing(name):
    bare = {option for option, info in options_of(COMMANDS[name]).items() if info.rich_help_panel is None}
    assert bare <= set(panels.PRINTING)


@pytest.mark.parametrize("table", ["SEARCH", "TRAIN", "PRETRAIN", "BENCH"])
def test_no_heading_names_an_option_that_is_nowhere_or_twice(table):
    named = [name for names in getattr(panels, table).values() for name in names]
    known = {name for command in COMMANDS.values() for name in inspect.signature(command).parameters}
    assert len(set(named)) == len(named) and set(named) <= known


def test_options_are_shown_in_the_order_of_their_headings():
    shown = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "120"}).output
    headings = [shown.index(f"─ {heading} ─") for heading in panels.SEARCH]
    assert headings == sorted(headings)
    assert shown.index("--max-gpu-hours") < shown.index("--concurrency") < shown.index("--store ")


def test_grouping_a_command_changes_no_default():
    made = []

    def command(first: int = 1, second: str = "b") -> None:
        made.append((first, second))

    asked = typer.Typer()
    asked.command()(panels.grouped(command, {"One": ("second",), "Two": ("first",)}))
    assert CliRunner().invoke(asked, ["--first", "3"]).exit_code == 0 and made == [(3, "b")]


@pytest.mark.parametrize(("columns", "width"), [(None, PIPED), ("60", 60), ("132", 132)])
def test_a_pipe_is_as_wide_as_asked_for(columns, width, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    script = "from tasksearch.cli.printing import open_console; print(open_console().width)"
    done = subprocess.run([sys.executable, "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(width) and not done.stderr
