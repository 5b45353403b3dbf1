"""Pickers: from what a search trained to the worth of every mix in every language; the largest worth is picked.

A picker sees selection scores of the search's trainings and of the baseline's seeds, nothing else: no reporting score and no
fresh seed reaches it. A user's own is a function `(shown) -> array of shape (mixes, languages)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.errors import BadInput, first_line
from tasksearch.core.schedule import Schedule

Array = NDArray[np.float64]
WANTED = "a picker: (shown) -> worth of every mix in every language"


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """What a picker may look at.

    Attributes:
        schedules: trained mixes, each once.
        gains: shape (mixes, languages), gain over the baseline's mean, one seed each; larger is better.
        seeds: shape (baseline seeds, languages), the baseline's seeds in the same units; no row where there is no baseline.
        languages: of the columns, where they are known.
    """

    schedules: tuple[Schedule, ...]
    gains: Array
    seeds: Array
    languages: tuple[str, ...] = ()


Picker = Callable[[Shown], Array]


def worth_of(picker: Picker, shown: Shown) -> Array:
    """What the picker says.

    Raises:
        BadInput: it fails, or gives an array of another shape or with a number that is not finite.
    """
    name = getattr(picker, "__name__", type(picker).__name__)
    try:
        found = np.asarray(picker(shown), dtype=np.float64)
    except BadInput:
        raise
    except Exception as fault:  # whatever a user's file does
        raise BadInput(f"picker {name} failed: {type(fault).__name__}: {first_line(fault)}") from fault
    if found.shape != shown.gains.shape:
        raise BadInput(f"the picker gave an array of shape {found.shape}; expected {shown.gains.shape}, mixes by languages")
    if not np.isfinite(found).all():
        raise BadInput(f"the picker {name} gave a worth that is not finite; expected a number for every mix and language")
    return found
