"""`CandidateOutcomes`: one plan's outcomes on one or more seeds, with scores and each example's influence on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.clustering import ClusterIndex, Documents, independent_examples
from tasksearch.analysis.run_outcomes import Array, OutcomeTable, RunOutcomes, check_shape, linearise
from tasksearch.core.errors import BadInput
from tasksearch.core.score import Cell


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateOutcomes:
    """One plan, trained on one or more seeds.

    Attributes:
        seeds: per seed, cell → outcomes of shape (examples, 2). Examples stand in the same order for every seed and every plan.
        fixed: targets whose outcomes need no training under this plan (retrieval without an intermediate phase). Their seed
            variance is zero by construction and is not pooled with that of other plans.
        numbers: the training seeds, by which plans are paired; empty where they are not known.
        dependent: whether the trainings are averages over one and the same seeds: they differ less than trainings do, and say
            nothing of how much those differ.
        documents: of the examples. Without them, or for cells that they lack, each example counts as an independent draw.
        cache: `Influence` values by weights, so that each is summed once.
    """

    seeds: tuple[Mapping[Cell, NDArray[np.floating]], ...]
    fixed: frozenset[str] = frozenset()
    numbers: tuple[int, ...] = ()
    dependent: bool = False
    documents: Documents | None = None
    cache: dict[tuple[tuple[Cell, float], ...], Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.seeds:
            raise BadInput("a plan without a single trained seed; expected at least one")
        if self.numbers and len(set(self.numbers)) != len(self.seeds):
            raise BadInput(f"seeds {list(self.numbers)} for {len(self.seeds)} trainings; expected one each, all different")

    @cached_property
    def cells(self) -> frozenset[Cell]:
        """Cells that every seed was scored in."""
        return frozenset(self.seeds[0].keys()).intersection(*(outcomes.keys() for outcomes in self.seeds[1:]))

    @cached_property
    def tables(self) -> dict[int, OutcomeTable]:
        """Number of examples → table of the cells with so many examples in every seed."""
        first, *others = [RunOutcomes.of(outcomes).tables for outcomes in self.seeds]
        alike = [n for n in first if all(n in tables for tables in others)]
        return {n: _stacked([first[n], *(tables[n] for tables in others)]) for n in alike}

    @cached_property
    def _columns(self) -> tuple[dict[Cell, int], Array]:
        """Cell → column, and the scores of all cells, shape (seeds, cells)."""
        cells = [cell for table in self.tables.values() for cell in table.rows]
        scores = [np.zeros((len(self.seeds), 0)), *(table.scores for table in self.tables.values())]
        return {cell: place for place, cell in enumerate(cells)}, np.hstack(scores)

    def scores(self, weights: Mapping[Cell, float]) -> Array:
        """Return the weighted sum of the cells' scores, shape (seeds,).

        Terms are added in the order of the weights: a sum that lies half-way between two printed digits is always rounded to
        the same one.
        """
        places, scores = self._columns
        terms = scores[:, [places[cell] for cell in weights]] * np.array(list(weights.values()))
        return np.asarray(np.cumsum(terms, axis=1)[:, -1])

    @cached_property
    def _sizes(self) -> dict[Cell, int]:
        return {cell: examples for examples, table in self.tables.items() for cell in table.rows}

    def examples(self, cell: Cell) -> int:
        """Return the number of the cell's examples.

        Raises:
            BadInput: a seed without that cell, or seeds with different numbers of examples.
        """
        if cell not in self._sizes:
            raise BadInput(_why_not(self, cell))
        return self._sizes[cell]

    def influence(self, cell: Cell) -> Array:
        """Return each example's influence on the cell's score, shape (seeds, examples)."""
        table = self.tables[self.examples(cell)]
        return table.influence[:, table.rows[cell]]

    def places(self, cells: Iterable[Cell]) -> dict[Cell, ClusterIndex]:
        """Return each cell's document index; cells of one target whose documents are known share one numbering."""
        found: dict[Cell, ClusterIndex] = {}
        known: dict[str, list[Cell]] = {}
        for cell in cells:
            found[cell] = independent_examples(self.examples(cell))
            if self.documents is not None and cell in self.documents:
                self.documents.check(cell, found[cell].count)
                known.setdefault(cell[0], []).append(cell)
        if self.documents is not None:
            for members in known.values():
                found |= self.documents.places(members)
        return found


def _stacked(tables: Sequence[OutcomeTable]) -> OutcomeTable:
    """Stack the tables of several seeds, restricted to the cells that all have."""
    if len(tables) == 1:
        return OutcomeTable(rows=tables[0].rows, scores=tables[0].scores[np.newaxis], influence=tables[0].influence[np.newaxis])
    cells = [cell for cell in tables[0].rows if all(cell in table.rows for table in tables)]
    places = [table.places(cells) for table in tables]
    return OutcomeTable(
        rows={cell: row for row, cell in enumerate(cells)},
        scores=np.stack([table.scores[own] for table, own in zip(tables, places, strict=True)]),
        influence=np.stack([table.influence[own] for table, own in zip(tables, places, strict=True)]),
    )


def score_of(outcomes: NDArray[np.floating]) -> float:
    """Return 100 * sum(numerators) / sum(denominators), in percent; 0 where all denominators are zero.

    Raises:
        BadInput: the array is not of shape (at least 1, 2) or holds a number that is not finite.
    """
    check_shape(outcomes)
    return float(linearise(outcomes[np.newaxis])[0][0])


def linearised(outcomes: NDArray[np.floating]) -> Array:
    """Return each example's influence on the score, 100 (num - R den) / mean(den), shape (examples,). It sums to zero."""
    influence: Array = linearise(outcomes[np.newaxis])[1][0]
    return influence


def _why_not(arm: CandidateOutcomes, cell: Cell) -> str:
    target, language = cell
    if cell not in arm.cells:
        return f"no outcomes of {target} in {language!r} for one of the seeds; expected them for every seed"
    shapes = sorted({outcomes[cell].shape for outcomes in arm.seeds})
    return f"outcomes of {target} in {language!r} have shapes {shapes}; expected (examples, 2) for every seed"
