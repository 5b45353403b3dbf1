"""Suites by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from tasksearch.core.errors import UnknownName
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.tasks.lowres import lowres_suite
from tasksearch.tasks.suite import Suite
from tasksearch.tasks.xtreme_suite import xtreme_suite

SUITES: dict[str, Callable[[], Suite]] = {"lab": lab_suite, "lowres": lowres_suite, "xtreme": xtreme_suite}


@lru_cache
def load_suite(name: str) -> Suite:
    """The suite of that name.

    Raises:
        UnknownName: with the nearest one.
    """
    if name not in SUITES:
        raise UnknownName("suite", name, SUITES)
    return SUITES[name]()
