"""`BenchRows`: what a benchmark measured, world by world, with means and standard errors over worlds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from tasksearch.results.estimate import Interval


@dataclass(kw_only=True)
class BenchRows:
    """Row → number of trials → a value for every world (or order) that had one."""

    values: dict[str, dict[int, list[float]]] = field(default_factory=dict)

    def add(self, row: str, count: int, value: float) -> None:
        """Add one value."""
        self.values.setdefault(row, {}).setdefault(count, []).append(value)

    def extend(self, other: BenchRows) -> None:
        """Add the values of further worlds."""
        for row, cells in other.values.items():
            for count, found in cells.items():
                self.values.setdefault(row, {}).setdefault(count, []).extend(found)

    def plain(self) -> dict[str, dict[str, list[float]]]:
        """Return all values as JSON holds them."""
        return {row: {str(count): list(found) for count, found in cells.items()} for row, cells in self.values.items()}

    @classmethod
    def of(cls, data: Mapping[str, Mapping[str, Sequence[float]]]) -> Self:
        """Read what `plain` returned."""
        return cls(values={row: {int(count): list(found) for count, found in cells.items()} for row, cells in data.items()})

    def summary(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return row → number of trials → mean, standard error over worlds, number of worlds."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for row, cells in self.values.items():
            for count, values in cells.items():
                mean, error = mean_and_error(values)
                found.setdefault(row, {})[str(count)] = {"mean": mean, "error": error, "worlds": len(values)}
        return found


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean over worlds and its standard error; worlds are independent, languages within one are not."""
    data = np.asarray(values)
    if not len(data):
        return math.nan, math.nan
    return float(data.mean()), float(data.std(ddof=1) / np.sqrt(len(data))) if len(data) > 1 else 0.0


def holds(found: Interval, truth: float) -> bool:
    """Return whether the interval contains the truth; False without an interval."""
    return found.low is not None and found.high is not None and found.low <= truth <= found.high
