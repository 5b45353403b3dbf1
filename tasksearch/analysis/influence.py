"""`Influence`: a weighted sum of cells for one plan: the score of every seed, and each document's influence on it.

The influence of an example is its linearised contribution to a score (Cochran, Sampling Techniques, ch. 6). Where documents are
known, the influence of a document is summed over its examples and over the languages of one target. Where they are not known,
cells of one target with equally many examples are taken as the same items in several languages, and influence is summed per
item. The cells that are summed together form a *block*; blocks are independent of each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tasksearch.analysis.candidate_outcomes import CandidateOutcomes
from tasksearch.analysis.clustering import ClusterIndex, freedom
from tasksearch.analysis.run_outcomes import Array
from tasksearch.core.score import Cell

Block = tuple[str, int, bool]
"""(target, number of documents or examples, whether documents are known): the cells that are summed together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class InfluenceBlocks:
    """Blocks with equally many documents.

    Attributes:
        names: of the blocks.
        influence: sums by document, shape (seeds, blocks, documents), scaled so that their squares add up to a variance.
        freedom: degrees of freedom of each block's variance, shape (blocks,).
        documents: number of documents of each block that hold an example.
    """

    names: tuple[Block, ...]
    influence: Array
    freedom: Array
    documents: tuple[int, ...]

    @cached_property
    def mean(self) -> Array:
        """Mean over seeds, shape (blocks, documents)."""
        return np.asarray(self.influence.mean(axis=0))

    @cached_property
    def interactions(self) -> Array:
        """Sum of squares of the seed × document interaction, shape (blocks,)."""
        return np.asarray(np.square(self.influence - self.mean).sum(axis=(0, 2)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Influence:
    """Scores and influence of one plan's trainings under given cell weights.

    Attributes:
        scores: shape (seeds,).
        parts: the blocks, grouped by number of documents.
        names: of all blocks, in the order of the parts.
        trained: targets whose scores depend on the seed.
        examples: number of examples of each cell.
    """

    scores: Array
    parts: tuple[InfluenceBlocks, ...]
    names: tuple[Block, ...]
    trained: frozenset[str]
    examples: tuple[int, ...]

    @classmethod
    def of(cls, arm: CandidateOutcomes, weights: Mapping[Cell, float]) -> Influence:
        """Sum the influence of a plan's trainings; the result is cached, since every row asks for the same pool of plans.

        Raises:
            BadInput: a cell is missing.
        """
        key = tuple(weights.items())
        if key not in arm.cache:
            arm.cache[key] = _added(arm, {cell: weight for cell, weight in key if weight})
        found: Influence = arm.cache[key]
        return found

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return len(self.scores)

    @cached_property
    def squares(self) -> float:
        """Sum of squared deviations of the seeds' scores from their mean, with seeds - 1 degrees of freedom."""
        return float(((self.scores - self.scores.mean()) ** 2).sum())

    @property
    def blocks(self) -> dict[Block, Array]:
        """Block → its sums by document, shape (seeds, documents)."""
        return {name: part.influence[:, i] for part in self.parts for i, name in enumerate(part.names)}

    @property
    def documents(self) -> dict[Block, int]:
        """Number of documents of each block whose documents are known."""
        return {n: count for part in self.parts for n, count in zip(part.names, part.documents, strict=True) if n[2]}

    @property
    def freedom(self) -> dict[Block, float]:
        """Block → degrees of freedom of a variance over its documents."""
        return {n: df for part in self.parts for n, df in zip(part.names, part.freedom.tolist(), strict=True)}


def _added(arm: CandidateOutcomes, weights: Mapping[Cell, float]) -> Influence:
    places = arm.places(weights)
    alike: dict[tuple[int, bool], dict[Block, list[Cell]]] = {}
    for cell, place in places.items():
        length = (place.count, place.index is not None)
        alike.setdefault(length, {}).setdefault((cell[0], *length), []).append(cell)
    parts = tuple(
        _by_document(arm, weights, places, blocks) if known else _by_example(arm, weights, places, blocks)
        for (_, known), blocks in alike.items()
    )
    return Influence(
        scores=arm.scores(weights),
        parts=parts,
        names=tuple(name for part in parts for name in part.names),
        trained=frozenset(target for target, _ in weights) - arm.fixed,
        examples=tuple(arm.examples(cell) for cell in weights),
    )


def _by_example(
    arm: CandidateOutcomes,
    weights: Mapping[Cell, float],
    places: Mapping[Cell, ClusterIndex],
    blocks: Mapping[Block, list[Cell]],
) -> InfluenceBlocks:
    """Sum blocks whose documents are unknown: each example is a document of its own."""
    cells = [cell for members in blocks.values() for cell in members]
    table, place = arm.tables[arm.examples(cells[0])], places[cells[0]]
    influence = table.influence[:, table.places(cells)]
    influence *= (np.array([weights[cell] for cell in cells]) * place.scale)[:, np.newaxis]
    if len(cells) > len(blocks):
        influence = np.add.reduceat(influence, np.cumsum([0, *map(len, blocks.values())])[:-1], axis=1)
    return InfluenceBlocks(
        names=tuple(blocks),
        influence=influence,
        freedom=np.full(len(blocks), place.freedom),
        documents=(place.count,) * len(blocks),
    )


def _by_document(
    arm: CandidateOutcomes,
    weights: Mapping[Cell, float],
    places: Mapping[Cell, ClusterIndex],
    blocks: Mapping[Block, list[Cell]],
) -> InfluenceBlocks:
    """Sum blocks with known and equally many documents; examples are added straight into the documents of their block."""
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
        influence = table.influence[:, table.places(cells)] * (shares * scales)[:, np.newaxis]
        index = np.concatenate([starts[cell] + place for cell in cells if (place := places[cell].index) is not None])
        for seed, own in enumerate(influence):
            sums[seed] += np.bincount(index, weights=own.ravel(), minlength=len(mass))
        mass += np.bincount(index, weights=np.repeat(np.abs(shares) / examples, examples), minlength=len(mass))
    masses = mass.reshape(len(blocks), count)
    return InfluenceBlocks(
        names=tuple(blocks),
        influence=sums.reshape(len(arm.seeds), len(blocks), count),
        freedom=np.array(
            [
                freedom(own) if len(cells) > 1 else places[cells[0]].freedom
                for own, cells in zip(masses, blocks.values(), strict=True)
            ]
        ),
        documents=tuple((masses > 0).sum(axis=1).tolist()),
    )
