"""A field of a table is an option of a command; nothing else has to be written for it."""

from dataclasses import dataclass

import pytest
import typer
from typer.testing import CliRunner

from tasksearch.cli.from_table import from_tables
from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.option import Options, like, option
from tasksearch.core.options import WHAT


@dataclass(frozen=True, kw_only=True)
class Shape(Options):
    kind: str = option("round", WHAT, "of the shape", choices=("round", "square"))
    sizes: tuple[float, ...] = option((), WHAT, "repeatable", flag="--size", above=0, most=2)
    hollow: bool = option(False, WHAT, "nothing inside")
    painted: bool | None = option(None, WHAT, "with colour", unset="as it comes")


@dataclass(frozen=True, kw_only=True)
class Other(Options):
    kind: str | None = like(Shape, "kind", help="another kind")


def asked(*arguments, table=Shape):
    seen = []

    def draw(shape: table, loud: bool = False) -> None:
        seen.append((shape, loud))

    app = typer.Typer(rich_markup_mode="markdown")
    app.command()(from_tables(draw))
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return seen[0] if seen else result


def test_flags_become_the_table_and_what_is_not_said_its_defaults():
    assert asked() == (Shape(), False)
    said = asked("--kind", "square", "--size", "1", "--size", "0.5", "--hollow", "--no-painted", "--loud")
    assert said == (Shape(kind="square", sizes=(1, 0.5), hollow=True, painted=False), True)
    assert asked("--hollow", "--no-hollow")[0] == Shape()


def test_a_like_option_has_its_own_default_and_the_same_choices():
    assert asked(table=Other) == (Other(), False) and Other().kind is None
    with pytest.raises(UnknownName, match="did you mean 'square'"):
        asked("--kind", "squared", table=Other)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "0"], "--size is 0; expected more than 0 and at most 2"),
        (["--size", "nan"], "--size is nan; expected more than 0 and at most 2"),
        (["--size", "3"], "--size is 3; expected more than 0 and at most 2"),
    ],
)
def test_a_value_out_of_bounds_is_one_line(words, said):
    with pytest.raises(BadInput, match=said):
        asked(*words)


def test_help_shows_default_choices_and_what_holds_where_nothing_is_said():
    shown = " ".join(asked("--help").output.replace("│", " ").split())
    assert "round|square" in shown and "[default: round]" in shown and "[default: as it comes]" in shown
    assert "--no-hollow" not in shown and "--no-painted" in shown


def test_python_and_flags_refuse_the_same():
    with pytest.raises(UnknownName, match="no option 'knid'; did you mean 'kind'"):
        Shape.read({"knid": "round"})
    with pytest.raises(BadInput, match="--hollow is 1; expected true or false"):
        Shape(hollow=1)
    assert Shape.read({"sizes": [1]}).given() == {"sizes": (1.0,)}
