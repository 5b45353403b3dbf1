"""`named_arguments`: a public function that was called with a mistyped argument says which one was meant."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tasksearch.core.errors import UnknownName

P = ParamSpec("P")
T = TypeVar("T")


def named_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """The function; a keyword argument that it does not take raises UnknownName, which names the nearest it takes."""
    known = [name for name in inspect.signature(function).parameters if name != "self"]

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        for name in kwargs:
            if name not in known:
                raise UnknownName(f"argument of {function.__name__}()", name, known)
        return function(*args, **kwargs)

    return call
