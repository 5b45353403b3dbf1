"""`named_arguments`: suggest the right name when a public function is called with a mistyped keyword argument."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tasksearch.core.errors import UnknownName

P = ParamSpec("P")
T = TypeVar("T")


def named_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Wrap a function so that an unknown keyword argument raises UnknownName, which names the nearest known one."""
    known = [name for name in inspect.signature(function).parameters if name != "self"]

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        for name in kwargs:
            if name not in known:
                raise UnknownName(f"argument of {function.__name__}()", name, known)
        return function(*args, **kwargs)

    return call
