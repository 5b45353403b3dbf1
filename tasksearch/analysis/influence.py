"""`Influence`: an arm's answer to one question, a weighted sum of cells: its seeds' scores and every document's pull on them.

Cells of one target share their documents, where these are known: a document's pulls are added up over its examples and over
languages. Where they are not known, cells of one target with equally many examples are taken as the same items in several
languages, and their pulls are added per item. What is added up is a *block*; blocks are independent of each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tasksearch.analysis.candidate_outcomes import CandidateOutcomes
from tasksearch.analysis.clustering import Place, freedom
from tasksearch.analysis.run_outcomes import Array
from tasksearch.core.score import Cell

Block = tuple[str, int, bool]
"""(target, documents or examples, whether documents are known): what is answered together, and summed first."""


@dataclass(frozen=True, kw_only=True, eq=False)
class InfluenceBlocks:
    """Blocks of equally many documents.

    Attributes:
        names: of the blocks.
        pulls: sums by document, shape (seeds, blocks, documents), whose squares add up to a variance.
        freedom: degrees of freedom of each block's variance, shape (blocks,).
        documents: that hold an example, of each block.
    """

    names: tuple[Block, ...]
    pulls: Array
    freedom: Array
    documents: tuple[int, ...]

    @cached_property
    def mean(self) -> Array:
        """Over seeds, shape (blocks, documents)."""
        return np.asarray(self.pulls.mean(axis=0))

    @cached_property
    def interactions(self) -> Array:
        """Sum of squares of seed × document, over all seeds, shape (blocks,)."""
        return np.asarray(np.square(self.pulls - self.mean).sum(axis=(0, 2)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Influence:
    """One arm, weighted.

    Attributes:
        scores: shape (seeds,).
        sheets: its blocks.
        names: of all of them, in the order of the sheets.
        trained: the targets that depend on the seed.
        examples: of each cell.
    """

    scores: Array
    sheets: tuple[InfluenceBlocks, ...]
    names: tuple[Block, ...]
    trained: frozenset[str]
    examples: tuple[int, ...]

    @classmethod
    def of(cls, arm: CandidateOutcomes, weights: Mapping[Cell, float]) -> Influence:
        """Added up once per arm and question: the arms of a pool are asked the same by every row.

        Raises:
            BadInput: a cell is missing.
        """
        key = tuple(weights.items())
        if key not in arm.asked:
            arm.asked[key] = _added(arm, {cell: weight for cell, weight in key if weight})
        found: Influence = arm.asked[key]
        return found

    @property
    def seeds(self) -> int:
        """How many."""
        return len(self.scores)

    @cached_property
    def squares(self) -> float:
        """Sum of squares of the seeds' scores, with seeds - 1 degrees of freedom."""
        return float(((self.scores - self.scores.mean()) ** 2).sum())

    @property
    def blocks(self) -> dict[Block, Array]:
        """Block → its sums by document, shape (seeds, documents)."""
        return {name: sheet.pulls[:, i] for sheet in self.sheets for i, name in enumerate(sheet.names)}

    @property
    def documents(self) -> dict[Block, int]:
        """Of the blocks whose documents are known."""
        return {n: count for sheet in self.sheets for n, count in zip(sheet.names, sheet.documents, strict=True) if n[2]}

    @property
    def freedom(self) -> dict[Block, float]:
        """Block → degrees of freedom of a variance over its documents."""
        return {n: df for sheet in self.sheets for n, df in zip(sheet.names, sheet.freedom.tolist(), strict=True)}


def _added(arm: CandidateOutcomes, weights: Mapping[Cell, float]) -> Influence:
    places = arm.places(weights)
    alike: dict[tuple[int, bool], dict[Block, list[Cell]]] = {}
    for cell, place in places.items():
        length = (place.count, place.index is not None)
        alike.setdefault(length, {}).setdefault((cell[0], *length), []).append(cell)
    sheets = tuple(
        _by_document(arm, weights, places, blocks) if known else _by_example(arm, weights, places, blocks)
        for (_, known), blocks in alike.items()
    )
    return Influence(
        scores=arm.scores(weights),
        sheets=sheets,
        names=tuple(name for sheet in sheets for name in sheet.names),
        trained=frozenset(target for target, _ in weights) - arm.fixed,
        examples=tuple(arm.examples(cell) for cell in weights),
    )


def _by_example(
    arm: CandidateOutcomes, weights: Mapping[Cell, float], places: Mapping[Cell, Place], blocks: Mapping[Block, list[Cell]]
) -> InfluenceBlocks:
    """Blocks of cells with equally many examples, each a document of its own."""
    cells = [cell for members in blocks.values() for cell in members]
    table, place = arm.tables[arm.examples(cells[0])], places[cells[0]]
    pulls = table.pulls[:, table.places(cells)]
    pulls *= (np.array([weights[cell] for cell in cells]) * place.scale)[:, np.newaxis]
    if len(cells) > len(blocks):
        pulls = np.add.reduceat(pulls, np.cumsum([0, *map(len, blocks.values())])[:-1], axis=1)
    return InfluenceBlocks(
        names=tuple(blocks),
        pulls=pulls,
        freedom=np.full(len(blocks), place.freedom),
        documents=(place.count,) * len(blocks),
    )


def _by_document(
    arm: CandidateOutcomes, weights: Mapping[Cell, float], places: Mapping[Cell, Place], blocks: Mapping[Block, list[Cell]]
) -> InfluenceBlocks:
    """Blocks whose documents are known, equally many in each: examples are added straight into their block's documents."""
    count = next(iter(blocks))[1]
    starts = {cell: number * count for number, members in enumerate(blocks.values()) for cell in members}
    sums, mass = np.zeros((len(arm.seeds), len(blocks) * count)), np.zeros(len(blocks) * count)
    alike: dict[int, list[Cell]] = {}
    for cell in starts:
        alike.setdefault(arm.examples(cell), []).append(cell)
    for examples, cells in alike.items():
        table = arm.tables[examples]
        shares = np.array([weights[cell] for cell in cells])
        scales = np.array([places[cell].scale for cell in cells])
        pulls = table.pulls[:, table.places(cells)] * (shares * scales)[:, np.newaxis]
        index = np.concatenate([starts[cell] + place for cell in cells if (place := places[cell].index) is not None])
        for seed, own in enumerate(pulls):
            sums[seed] += np.bincount(index, weights=own.ravel(), minlength=len(mass))
        mass += np.bincount(index, weights=np.repeat(np.abs(shares) / examples, examples), minlength=len(mass))
    masses = mass.reshape(len(blocks), count)
    return InfluenceBlocks(
        names=tuple(blocks),
        pulls=sums.reshape(len(arm.seeds), len(blocks), count),
        freedom=np.array(
            [
                freedom(own) if len(cells) > 1 else places[cells[0]].freedom
                for own, cells in zip(masses, blocks.values(), strict=True)
            ]
        ),
        documents=tuple((masses > 0).sum(axis=1).tolist()),
    )
