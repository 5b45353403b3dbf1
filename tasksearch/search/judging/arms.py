"""`Arm`: one plan's outcomes on one or more seeds, with the scores and pulls that every estimate is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.errors import BadInput
from tasksearch.search.judging.documents import Documents, Place, apart

Cell = tuple[str, str]
"""(target, language)"""
Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Arm:
    """One plan, trained on one or more seeds.

    Attributes:
        seeds: per seed, cell → outcomes of shape (examples, 2). Examples stand in the same order for every seed and every plan.
        fixed: targets whose outcomes need no training under this plan (retrieval without an intermediate phase): their seed
            variance is zero by construction, and they say nothing about that of other plans.
        documents: of the examples; None, or cells that it lacks: each example is taken for a draw of its own.
        asked: what `statistics` has added up of it, by weights.
    """

    seeds: tuple[Mapping[Cell, NDArray[np.floating]], ...]
    fixed: frozenset[str] = frozenset()
    documents: Documents | None = None
    asked: dict[tuple[tuple[Cell, float], ...], Any] = field(default_factory=dict, init=False, repr=False)
    _known: dict[Cell, tuple[Array, Array]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.seeds:
            raise BadInput("a plan without a single trained seed; expected at least one")

    def pulls(self, cell: Cell) -> tuple[Array, Array]:
        """Scores (seeds,) and pulls (seeds, examples) of one cell, linearised once: every row of a verdict asks for them."""
        if cell not in self._known:
            self._known[cell] = _linearised(_stacked(self, cell))
        return self._known[cell]

    def places(self, cells: Iterable[Cell]) -> dict[Cell, Place]:
        """Where the cells' examples stand among documents; cells of one target whose documents are known share them."""
        found: dict[Cell, Place] = {}
        known: dict[str, list[Cell]] = {}
        for cell in cells:
            found[cell] = apart(self.pulls(cell)[1].shape[1])
            if self.documents is not None and cell in self.documents:
                self.documents.check(cell, found[cell].count)
                known.setdefault(cell[0], []).append(cell)
        if self.documents is not None:
            for members in known.values():
                found |= self.documents.places(members)
        return found


def score_of(outcomes: NDArray[np.floating]) -> float:
    """100 * sum of numerators / sum of denominators; 0 where nothing was there to be found (all denominators zero).

    Raises:
        BadInput: the array is not of shape (at least 1, 2) or holds a number that is not finite.
    """
    if outcomes.ndim != 2 or outcomes.shape[1] != 2 or not len(outcomes):
        raise BadInput(f"outcomes of shape {outcomes.shape}; expected (examples, 2), numerator and denominator")
    scores, _ = _linearised(outcomes[np.newaxis])
    return float(scores[0])


def linearised(outcomes: NDArray[np.floating]) -> Array:
    """Each example's pull on the score, shape (examples,): 100 (num - R den) / mean(den). Sums to zero."""
    pulls: Array = _linearised(outcomes[np.newaxis])[1][0]
    return pulls


def _linearised(outcomes: NDArray[np.floating]) -> tuple[Array, Array]:
    """Scores (seeds,) and pulls (seeds, examples) of outcomes (seeds, examples, 2)."""
    num, den = outcomes[:, :, 0].astype(np.float64), outcomes[:, :, 1].astype(np.float64)
    top, bottom = num.sum(axis=1), den.sum(axis=1)
    if not np.isfinite(top + bottom).all():
        raise BadInput("outcomes hold a number that is not finite")
    # Where all denominators are zero so are the numerators: a divisor of one keeps both score and pulls at zero.
    bottom = np.where(bottom == 0, 1.0, bottom)
    ratio = top / bottom
    return 100.0 * ratio, 100.0 * (num - ratio[:, np.newaxis] * den) * (den.shape[1] / bottom)[:, np.newaxis]


def _stacked(arm: Arm, cell: Cell) -> NDArray[np.floating]:
    """Outcomes of every seed, shape (seeds, examples, 2)."""
    target, language = cell
    if any(cell not in outcomes for outcomes in arm.seeds):
        raise BadInput(f"no outcomes of {target} in {language!r} for one of the seeds; expected them for every seed")
    shapes = {outcomes[cell].shape for outcomes in arm.seeds}
    if len(shapes) > 1 or any(len(shape) != 2 or shape[1] != 2 or not shape[0] for shape in shapes):
        raise BadInput(
            f"outcomes of {target} in {language!r} have shapes {sorted(shapes)}; expected (examples, 2) for every seed"
        )
    return np.stack([outcomes[cell] for outcomes in arm.seeds])
