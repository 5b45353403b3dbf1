"""`short`: speed-up for commands that answer and end."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def short(command: Callable[P, T]) -> Callable[P, T]:
    """Run the command without the garbage collector for reference cycles.

    Nearly everything read from a big study lives until the answer is printed; searching it for cycles again and again took an
    eighth of the time of `report`.
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
