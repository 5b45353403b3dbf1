"""What no command can work in: a working directory that is gone, a Python without docstrings."""

from __future__ import annotations

import sys
from pathlib import Path

from tasksearch.core.errors import BadInput


def check_surroundings() -> None:
    """Looks at the working directory and at how Python was started.

    Raises:
        BadInput: the working directory was deleted, or Python runs with -OO.
    """
    try:
        Path.cwd()
    except OSError as gone:
        raise BadInput(
            f"the current folder is gone or cannot be entered ({gone.strerror}); expected one that exists: `cd` to it and "
            "repeat the command"
        ) from None
    if sys.flags.optimize >= 2:  # ray.tune reads its own docstrings when it is imported
        raise BadInput(
            f"Python runs with -OO (PYTHONOPTIMIZE={sys.flags.optimize}), which strips the docstrings that Ray reads; expected "
            "Python without it, or with -O"
        )
