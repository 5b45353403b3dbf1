"""`auto` with Thompson sampling in place of expected improvement: an acquisition to measure, no part of the product yet.

Of the 200 candidates that expected improvement ranks first, one joint draw from the posterior of one kernel, itself drawn by
its evidence, says what each gains in each language; the mix whose draw exceeds the best trained ones by most, mean over
languages, is proposed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from tasksearch.bench.planted_world import PlantedWorld
from tasksearch.bench.samplers import tpe_search
from tasksearch.bench.simulate import Simulation
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace
from tasksearch.search import auto, surrogate_search
from tasksearch.search.gain_table import MIN_MIXES
from tasksearch.search.surrogate.features import blocks_of
from tasksearch.search.surrogate.multitask_gp import KERNELS, LEVEL, Surrogate, _distances, _place
from tasksearch.search.surrogate.prediction import FittedSurrogate

Array = NDArray[np.float64]
_CANDIDATES, _YIELDED = 200, 60


def thompson_search(world: PlantedWorld, trials: int, seed: int, baseline_seeds: int) -> Simulation:
    """Run what `--sampler auto` runs, by Thompson sampling."""
    with patch.object(auto, "ranked_mixes", drawn_mixes):
        return tpe_search(world, trials, seed, baseline_seeds, sampler="auto")


def drawn_mixes(
    space: SearchSpace, told: surrogate_search.Told, pending: Sequence[Schedule], rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Yield parameters as `surrogate_search.ranked_mixes` does, in the order of one draw."""
    if len(told.schedules) < MIN_MIXES:
        return
    told = told.cut()
    fitted = surrogate_search._fitted(space, told, pending)
    weights, held = told.weights / told.weights.sum(), fitted.trained_mean()
    mixes = surrogate_search._candidates(space, told, held, weights, rng)
    arrays = mixes.arrays(space, fitted.surrogate.tasks, told.usual)
    seen = fitted.predict(arrays)
    worth = surrogate_search.improvement(seen.mean - held.max(axis=0), seen.step) @ weights
    first = np.argsort(-worth, kind="stable")[:_CANDIDATES]
    drawn = _draw(fitted, {name: block[first] for name, block in blocks_of(arrays).items()}, rng)
    best = fitted.warp.forward(held).max(axis=0)
    ahead = np.maximum(0.0, drawn - best) @ weights + 1e-9 * worth[first] / max(float(worth.max()), 1e-12)
    for row in np.argsort(-ahead, kind="stable")[:_YIELDED]:
        yield mixes.params(int(first[row]), space)


def _draw(fitted: FittedSurrogate, blocks: Mapping[str, Array], rng: np.random.Generator) -> Array:
    """Return one joint draw of the gains of these mixes, shape (mixes, columns), in the scale of the warp."""
    odds = np.array([part.weight for part in fitted.parts])
    part = fitted.parts[rng.choice(len(odds), p=odds / odds.sum())]
    values, vectors = fitted.surrogate.basis(part.place)
    near = fitted.surrogate.with_others(blocks, [part.place])[0][part.place] @ vectors
    between, columns = _between(fitted.surrogate, blocks, part.place), []
    for scores, ratio in zip(part.z.T, part.ratio, strict=True):
        shrink = ratio / (values * ratio + 1.0)
        spread = ratio * between - (near * (ratio * shrink)) @ near.T
        own, turn = np.linalg.eigh((spread + spread.T) / 2)
        columns.append(near @ (shrink * scores) + turn @ (np.sqrt(np.maximum(own, 0.0)) * (turn.T @ rng.normal(size=len(own)))))
    return np.array(columns).T @ part.unwhiten.T


def _between(surrogate: Surrogate, blocks: Mapping[str, Array], place: int) -> Array:
    """Return one kernel between these mixes."""
    scaled, found = surrogate._scaled[0], np.full((len(blocks["share"]),) * 2, LEVEL)
    for name, weight in KERNELS[place].items():
        if name == "near":
            found += weight * scaled.near(_distances(_place(blocks), _place(blocks)))
        elif scaled.scale[name] > 1e-12:
            apart = blocks[name] - scaled.centre[name]
            found += weight * apart @ apart.T / scaled.scale[name]
    return found
