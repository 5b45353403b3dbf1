"""Load a suite by name, by the path of a user's file, or by the reference under which a study keeps that file."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from tasksearch.core.errors import UnknownName
from tasksearch.core.own_files import UserFile, is_path, is_reference, split_reference
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.tasks.lowres import lowres_suite
from tasksearch.tasks.suite import Suite
from tasksearch.tasks.suite_file import read_suite_file, suite_of
from tasksearch.tasks.xtreme_suite import xtreme_suite

SUITES: dict[str, Callable[[], Suite]] = {"lab": lab_suite, "lowres": lowres_suite, "xtreme": xtreme_suite}


def suite_name(name: str) -> str:
    """Return the name under which a study records the suite: a built-in name, or the reference of a user's file.

    Raises:
        UnknownName: there is no such suite; the message names the nearest one.
        BadInput: the file is not a valid suite.
    """
    if is_path(name):
        return read_suite_file(Path(name))
    if name not in SUITES and not is_reference(name):
        raise UnknownName("suite", name, SUITES)
    return name


def load_suite(name: str) -> Suite:
    """Load a suite by name, path or reference; raises as `suite_name` does."""
    named = suite_name(name)
    return _own(split_reference(named)[1]) if is_reference(named) else packaged_suite(named)


@lru_cache
def packaged_suite(name: str) -> Suite:
    """Return a built-in suite, built once."""
    return SUITES[name]()


@lru_cache
def _own(file: UserFile) -> Suite:
    return suite_of(file)
