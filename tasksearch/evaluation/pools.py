"""Mining scored as XTREME scores BUCC 2018: F1 of the mined pairs above a cut that is chosen on selection examples.

The cut is applied to selection and reporting examples. On a split that is used for selection as a whole (XTREME's dev, BUCC's
`sample`) the selection score is therefore XTREME's own, tuned on the gold that it is scored on (`bucc_optimize`); the reporting
score is what XTREME defines for its test set: the cut of dev, applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tasksearch.core.plan import RetrievalSettings
from tasksearch.core.score import Half
from tasksearch.evaluation.mining import mine
from tasksearch.evaluation.neighbours import unit_vectors
from tasksearch.evaluation.retrieval import sentence_vectors
from tasksearch.forward.batches import Specials
from tasksearch.metrics.mining import best_cut
from tasksearch.metrics.outcomes import Outcomes
from tasksearch.tasks.encode import Encoded
from tasksearch.tasks.pools import Pools, pools_of
from tasksearch.tasks.selection_split import Portion

Vectors = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@torch.inference_mode()
def score_pools(
    model: Any,
    scored: Sequence[tuple[Portion, Encoded]],
    specials: Specials,
    settings: RetrievalSettings,
    precision: str,
) -> dict[Half, Outcomes]:
    """Return outcomes of one language by half, each of shape (examples, 2), in the order of the rows.

    An example is a foreign sentence that has a translation, with those after it up to the next such one. Its row is twice the
    correct pairs, and the extracted pairs plus the gold pairs: the ratio of the sums is F1.

    Without selection examples the cut is 0: every candidate is taken, as XTREME's mining extracts them.
    """
    halves: dict[Half, _Candidates] = {}
    for portion, items in scored:
        pools = pools_of(portion.examples)
        vectors = sentence_vectors(model, items, specials, settings, precision)
        found = _candidates(pools, vectors, centering=settings.centering)
        halves |= {half: found.of(rows, pools) for half, rows in portion.rows.items()}
    cut = halves["select"].best_cut() if "select" in halves else 0.0
    return {half: candidates.after(cut) for half, candidates in halves.items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class _Candidates:
    """Mined pairs: example, margin and correctness of each, shape (candidates,); gold pairs per example, shape (examples,)."""

    example: Ints
    scores: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]
    gold: Ints

    def of(self, rows: Ints, pools: Pools) -> _Candidates:
        """Keep the pairs of some rows, numbered anew in their order."""
        kept = np.isin(self.example, rows)
        return _Candidates(
            example=np.searchsorted(rows, self.example[kept]).astype(np.int64),
            scores=self.scores[kept],
            right=self.right[kept],
            gold=np.array([len(pools.sentences[int(row)].translations) for row in rows], dtype=np.int64),
        )

    def best_cut(self) -> float:
        return best_cut(self.scores, self.right, int(self.gold.sum()))

    def after(self, cut: float) -> Outcomes:
        taken = self.scores >= cut
        right, extracted = (np.bincount(self.example[which], minlength=len(self.gold)) for which in (taken & self.right, taken))
        return np.stack([2 * right, extracted + self.gold], axis=1).astype(np.float32)


def _candidates(pools: Pools, vectors: Vectors, *, centering: bool) -> _Candidates:
    """Mine every candidate of the two pools; examples are rows of the pool."""
    foreign, english = (unit_vectors(vectors[side], centering=centering) for side in (pools.foreign, pools.english))
    mined = mine(pools.side(pools.foreign), pools.side(pools.english), foreign, english)
    stretch = dict(zip(pools.side(pools.foreign), pools.stretches.tolist(), strict=True))
    return _Candidates(
        example=np.array([stretch[name] for name, _ in mined.ids], dtype=np.int64),
        scores=mined.scores,
        right=np.array([pair in pools.gold for pair in mined.ids], dtype=np.bool_),
        gold=np.empty(0, dtype=np.int64),
    )
