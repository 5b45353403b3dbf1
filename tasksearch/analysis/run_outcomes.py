"""`RunOutcomes`: one training's outcomes, with the score of every cell and each example's influence on it.

Cells with equally many examples are computed together, as the rows of one array: a study of many languages and targets has
hundreds of cells of a few hundred examples, for which the overhead of single calls would dominate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.errors import BadInput
from tasksearch.core.score import Cell

Array = NDArray[np.float64]
Outcomes = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class OutcomeTable:
    """Cells with equally many examples.

    Attributes:
        rows: cell → row.
        scores: percent; of one training of shape (cells,), of several (seeds, cells).
        influence: shape (cells, examples) or (seeds, cells, examples).
    """

    rows: Mapping[Cell, int]
    scores: Array
    influence: Array

    def places(self, cells: Sequence[Cell]) -> list[int]:
        """Return the rows of these cells."""
        return [self.rows[cell] for cell in cells]


class RunOutcomes(dict[Cell, Outcomes]):
    """Cell → outcomes of shape (examples, 2), numerator and denominator."""

    @classmethod
    def of(cls, outcomes: Mapping[Cell, Outcomes]) -> RunOutcomes:
        """Wrap the outcomes; a `RunOutcomes` is returned as it is, so that nothing is computed twice."""
        return outcomes if isinstance(outcomes, RunOutcomes) else cls(outcomes)

    @cached_property
    def tables(self) -> dict[int, OutcomeTable]:
        """Number of examples → table of the cells with so many; arrays of another shape than (examples, 2) are left out.

        Raises:
            BadInput: an outcome that is not finite.
        """
        alike: dict[int, list[Cell]] = {}
        for cell, data in self.items():
            if data.ndim == 2 and data.shape[1] == 2 and len(data):
                alike.setdefault(len(data), []).append(cell)
        found = {}
        for examples, cells in alike.items():
            scores, influence = linearise(np.stack([self[cell] for cell in cells]))
            found[examples] = OutcomeTable(
                rows={cell: row for row, cell in enumerate(cells)}, scores=scores, influence=influence
            )
        return found

    def scores(self) -> dict[Cell, float]:
        """Return cell → percent.

        Raises:
            BadInput: an outcome that is not finite, or of another shape.
        """
        told = {
            cell: float(score)
            for table in self.tables.values()
            for cell, score in zip(table.rows, table.scores.tolist(), strict=True)
        }
        for cell in self.keys() - told.keys():
            check_shape(self[cell])
        return told


def check_shape(outcomes: Outcomes) -> None:
    """Raise BadInput where outcomes are not of shape (at least 1, 2)."""
    if outcomes.ndim != 2 or outcomes.shape[1] != 2 or not len(outcomes):
        raise BadInput(f"outcomes of shape {outcomes.shape}; expected (examples, 2), numerator and denominator")


def linearise(outcomes: Outcomes) -> tuple[Array, Array]:
    """Compute scores and influence of outcomes of shape (rows, examples, 2).

    Returns:
        Scores R in percent, shape (rows,), and influence 100 (num - R den) / mean(den), shape (rows, examples).

    Raises:
        BadInput: a number that is not finite.
    """
    num, den = outcomes[:, :, 0].astype(np.float64), outcomes[:, :, 1].astype(np.float64)
    top, bottom = num.sum(axis=1), den.sum(axis=1)
    if not np.isfinite(top + bottom).all():
        raise BadInput("outcomes hold a number that is not finite")
    # Where all denominators are zero so are the numerators: a divisor of one keeps both score and influence at zero.
    bottom = np.where(bottom == 0, 1.0, bottom)
    ratio = top / bottom
    num -= ratio[:, np.newaxis] * den
    num *= 100.0
    num *= (den.shape[1] / bottom)[:, np.newaxis]
    return 100.0 * ratio, num
