"""What the code imports is what the project declares, and the other way round."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = ("tasksearch", "search_spaces", "trainables")
CALLED_BY_NAME = {"import_module", "find_spec"}

TOOLS = {
    "hatchling", "import-linter", "ipykernel", "mypy", "optuna-dashboard", "pandas-stubs", "pytest-timeout", "pytest-xdist",
    "ruff",
}  # fmt: skip
"""Of the development extra: run, not imported."""
DRIVERS = {"psycopg", "pymysql"}
"""SQLAlchemy imports them by the address of a database."""


def plain(name):
    """A distribution's normalised name (PEP 503), of a requirement too."""
    return re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", name).group()).lower()


def imported(*folders):
    """Top-level third-party modules → files, wherever in a file the import stands."""
    found = {}
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _names(node):
                found.setdefault(name.partition(".")[0], set()).add(str(path.relative_to(ROOT)))
    own = {path.stem for folder in folders for path in (ROOT / folder).rglob("*.py")} if folders[0] not in OURS else set()
    return {name: files for name, files in found.items() if name not in {*OURS, *sys.stdlib_module_names, *own}}


def _names(node):
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module and not node.level else []
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return [node.args[0].value] if called in CALLED_BY_NAME and isinstance(node.args[0].value, str) else []
    return []


PROVIDED = packages_distributions()
DECLARED = {plain(one) for one in PROJECT["dependencies"]}
EXTRAS = {extra: {plain(one) for one in named} for extra, named in PROJECT["optional-dependencies"].items()}
OPTIONAL = {"faiss", "grpc", "urielplus"}
"""Modules of an extra, ours or Ray's: the code says what to install where they are not there."""


def undeclared(modules, declared):
    return {
        name: sorted(files)
        for name, files in modules.items()
        if not {plain(one) for one in PROVIDED.get(name, [name])} & declared
    }


def test_every_import_of_the_packages_is_a_declared_dependency():
    found = imported(*OURS)
    assert found.keys() >= OPTIONAL
    assert undeclared({name: files for name, files in found.items() if name not in OPTIONAL}, DECLARED) == {}


def test_every_declared_dependency_is_imported():
    provided = {plain(one) for name in imported(*OURS) for one in PROVIDED.get(name, ())}
    assert provided >= DECLARED
    assert EXTRAS["postgres"] | EXTRAS["mysql"] == DRIVERS


def test_what_tests_and_benchmarks_import_is_declared_for_development():
    found = imported("tests", "benchmarks")
    assert undeclared(found, DECLARED | EXTRAS["dev"] | EXTRAS["cpu"] | EXTRAS["distances"]) == {}, "faiss is measured beside"
    notebooks = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "notebooks").glob("*.ipynb"))
    used = {plain(one) for name in found for one in PROVIDED.get(name, ())}
    idle = {one for one in EXTRAS["dev"] - used - TOOLS - DRIVERS if not re.search(rf"\bimport {one}\b", notebooks)}
    assert idle == set()


@pytest.mark.parametrize("extra", ["cpu", "gpu"])
def test_one_faiss_alone_stands_in_an_extra(extra):
    assert EXTRAS[extra] == {f"faiss-{extra}"}


def test_what_is_declared_is_pinned_for_development():
    pinned = {plain(line) for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if line.strip()}
    assert set().union(DECLARED, *EXTRAS.values()) <= pinned
