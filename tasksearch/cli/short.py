"""`short`: what a command that answers and ends may leave undone."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def short(command: Callable[P, T]) -> Callable[P, T]:
    """Runs it without the collector of cyclic garbage.

    Nearly all that is read of a big study lives until the answer is printed; looking through it again and again for cycles took
    an eighth of the time of `report`.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        collects = gc.isenabled()
        gc.disable()
        try:
            return command(*args, **kwargs)
        finally:
            if collects:
                gc.enable()

    return run
