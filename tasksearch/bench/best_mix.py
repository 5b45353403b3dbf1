"""The best mix that exists in a planted world, language by language: what regret is measured against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasksearch.bench.planted_world import PlantedWorld
from tasksearch.bench.simulate import space_of
from tasksearch.search.candidate_mixes import CandidateMixes, edited, random_mixes

_DRAWN, _KEPT, _EDITS, _ROUNDS = 2000, 6, 12, 25


def best_gains(world: PlantedWorld) -> NDArray[np.float64]:
    """Return the largest true gain that the default space holds per language, shape (languages,), English first.

    A search by random edits from 2,000 random mixes; `tests/bench/test_skill_worlds.py` measures what it misses.
    """
    space, rng = space_of(world), np.random.default_rng(world.seed)
    mixes = random_mixes(space, rng, _DRAWN)
    for _ in range(_ROUNDS):
        gains = world.gains_of(mixes.arrays(space))
        best = np.unique(np.argsort(-gains, axis=0)[:_KEPT])
        kept = mixes.rows(best)
        changed = edited(kept.repeated(_EDITS), space, rng, blocks=_EDITS)
        twice = _EDITS // 3
        further = edited(changed.rows(range(twice * len(kept))), space, rng, blocks=twice)
        mixes = CandidateMixes.joined([kept, changed, further])
    found: NDArray[np.float64] = world.gains_of(mixes.arrays(space)).max(axis=0)
    return found
