"""Mixes of a space as arrays, thousands at a time: drawn, edited, and turned into features without a `Schedule` of each.

A sampler ranks many mixes and proposes one; only that one becomes parameters and a schedule.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.space import SearchSpace
from tasksearch.search.surrogate.schedule_arrays import MOVES, ScheduleArrays, log_rate

Array = NDArray[np.float64]
_WHOLE = 4  # the largest weight in a space with a grid of shares
_LEAST = 0.1  # the smallest weight where shares are free


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateMixes:
    """Mixes over the tasks of a space, in its order.

    Attributes:
        weight: shape (mixes, tasks), 0 for a task that is absent, else as the space's `weight/<task>`.
        rank: shape (mixes, tasks), in [0, 1], as `rank/<task>`; of no effect for a joint mix or an absent task.
        kind, steps, rate: shape (mixes,), places in the space's lists of schedules, lengths and searched rates.
    """

    weight: Array
    rank: Array
    kind: NDArray[np.int64]
    steps: NDArray[np.int64]
    rate: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.weight)

    @classmethod
    def of(cls, params: Sequence[Mapping[str, Any]], space: SearchSpace) -> Self:
        """Convert parameters as the space decodes them; those of the baseline must not be among them."""
        tasks = space.tasks
        return cls(
            weight=np.array([[_weight(each, task) for task in tasks] for each in params]).reshape(-1, len(tasks)),
            rank=np.array([[each.get(f"rank/{task}", 0.0) for task in tasks] for each in params]).reshape(-1, len(tasks)),
            kind=np.array([space.schedules.index(each.get("schedule", space.schedules[0])) for each in params], dtype=np.int64),
            steps=np.array([space.steps.index(each["steps"]) for each in params], dtype=np.int64),
            rate=np.array([_rates(space).index(each.get("learning_rate")) for each in params], dtype=np.int64),
        )

    @classmethod
    def joined(cls, parts: Sequence[CandidateMixes]) -> CandidateMixes:
        """Return all of them, one after the other."""
        return CandidateMixes(
            **{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in dataclasses.fields(cls)}
        )

    def repeated(self, times: int) -> CandidateMixes:
        """Return all of them, `times` times one after the other."""
        return self.rows(np.tile(np.arange(len(self)), times))

    def rows(self, chosen: NDArray[Any] | Sequence[int]) -> CandidateMixes:
        """Return the chosen rows."""
        return CandidateMixes(**{one.name: getattr(self, one.name)[chosen] for one in dataclasses.fields(self)})

    def params(self, row: int, space: SearchSpace) -> dict[str, Any]:
        """Return one mix as parameters, each only where it applies."""
        chosen = [i for i in range(len(space.tasks)) if self.weight[row, i] > 0]
        found: dict[str, Any] = {f"use/{task}": self.weight[row, i] > 0 for i, task in enumerate(space.tasks)}
        found = {name: bool(value) for name, value in found.items()} | {"steps": space.steps[self.steps[row]]}
        if space.searched_rates:
            found["learning_rate"] = space.searched_rates[self.rate[row]]
        if len(chosen) > 1:
            kind = found["schedule"] = space.schedules[self.kind[row]]
            for i in chosen:
                weight = float(self.weight[row, i])
                found[f"weight/{space.tasks[i]}"] = weight if space.denominator is None else round(weight)
            if kind != "joint":
                found |= {f"rank/{space.tasks[i]}": float(self.rank[row, i]) for i in chosen}
        return found

    def arrays(self, space: SearchSpace, tasks: Sequence[str] | None = None, usual: float | None = None) -> ScheduleArrays:
        """Convert to the arrays that features are made of.

        Args:
            space: of these mixes.
            tasks: columns in their order; None: the space's. A task that the space lacks is absent from every mix.
            usual: learning rate of mixes whose space has none, as in `ScheduleArrays.of`.
        """
        present = self.weight > 0
        count = present.sum(axis=1)
        order = np.where(present, self.rank, np.inf)
        names = np.argsort(np.argsort(np.array(space.tasks)))  # ties go to the earlier name
        rank = np.argsort(np.lexsort((np.broadcast_to(names, order.shape), order), axis=1), axis=1)
        moves = np.array([MOVES.get(kind, 0.0) for kind in space.schedules])[self.kind]
        found = ScheduleArrays(
            share=shares_of(self.weight, space.denominator, names),
            rank=np.where(present, rank, -1),
            moves=np.where(count > 1, moves, 0.0),
            length=np.log2(np.array(space.steps, dtype=np.float64))[self.steps],
            rate=np.array([log_rate(rate or usual) for rate in _rates(space)])[self.rate],
        )
        return found if tasks is None else _ordered(found, space.tasks, tasks)


def random_mixes(space: SearchSpace, rng: np.random.Generator, count: int) -> CandidateMixes:
    """Draw valid mixes as `random_schedules.random_params` does: every allowed subset is equally likely, all else uniform."""
    p = len(space.tasks)
    most = min(p, space.max_tasks or p)
    sizes = np.arange(space.min_tasks, most + 1)
    odds = np.array([float(comb(p, int(k))) for k in sizes])
    size = rng.choice(sizes, size=count, p=odds / odds.sum())
    present = np.argsort(np.argsort(rng.random((count, p)), axis=1), axis=1) < size[:, np.newaxis]
    return CandidateMixes(
        weight=np.where(present, _weights(space, rng, (count, p)), 0.0),
        rank=rng.random((count, p)),
        kind=rng.integers(len(space.schedules), size=count),
        steps=rng.integers(len(space.steps), size=count),
        rate=rng.integers(len(_rates(space)), size=count),
    )


def edited(mixes: CandidateMixes, space: SearchSpace, rng: np.random.Generator, *, blocks: int = 1) -> CandidateMixes:
    """Change one thing in each mix, at random.

    A task is added, dropped or replaced, a weight, two places in the order, the kind, the length or the learning rate changed.
    An edit that the space does not allow leaves the mix as it is.

    Args:
        mixes: to edit.
        space: of these mixes.
        rng: draws the edits.
        blocks: the rows are this many equal parts, and draws are those of one call for each part: many small calls at once.
    """
    n, p = mixes.weight.shape
    kinds, lengths, rates = len(space.schedules), len(space.steps), len(_rates(space))
    draws = [_draws(space, rng, n // blocks) for _ in range(blocks)]
    lots, kind, drawn, added, swapped, turn, step, speed = (np.concatenate(part) for part in zip(*draws, strict=True))
    rows, present = np.arange(n), mixes.weight > 0
    count, most = present.sum(axis=1), min(p, space.max_tasks or p)
    here, away = np.where(present, lots, -1.0).argmax(axis=1), np.where(present, -1.0, lots).argmax(axis=1)
    second = np.where(present & (np.arange(p) != here[:, np.newaxis]), lots, -1.0).argmax(axis=1)
    add = (kind == 0) & (count < most)
    drop = (kind == 1) & (count > max(1, space.min_tasks))
    swap = (kind == 2) & (count < p)
    weigh, move = (kind == 3) & (count > 1), (kind == 4) & (count > 1)
    weight, rank = mixes.weight.copy(), mixes.rank.copy()
    for where, place in ((add, added), (swap, swapped)):
        weight[rows[where], away[where]] = drawn[where]
        rank[rows[where], away[where]] = place[where]
    for where in (drop, swap):
        weight[rows[where], here[where]] = 0.0
    weight[rows[weigh], here[weigh]] = drawn[weigh]
    one, other = rank[rows, here], rank[rows, second]
    rank[rows[move], here[move]], rank[rows[move], second[move]] = other[move], one[move]
    turned, longer, faster = (kind == 5) & (count > 1), kind == 6, kind == 7
    return CandidateMixes(
        weight=weight,
        rank=rank,
        kind=np.where(turned, (mixes.kind + turn) % kinds, mixes.kind),
        steps=np.where(longer, (mixes.steps + step) % lengths, mixes.steps),
        rate=np.where(faster, (mixes.rate + speed) % rates, mixes.rate),
    )


def _draws(space: SearchSpace, rng: np.random.Generator, n: int) -> tuple[NDArray[Any], ...]:
    """Draw what decides the edits of n mixes; which edit applies to a mix changes none of the draws."""
    kinds, lengths, rates = len(space.schedules), len(space.steps), len(_rates(space))
    odds = np.array(_EDITS)
    odds[5:] *= np.array([kinds, lengths, rates]) > 1
    return (
        rng.random((n, len(space.tasks))),
        rng.choice(len(odds), size=n, p=odds / odds.sum()),
        _weights(space, rng, (n,)),
        rng.random((n,)),
        rng.random((n,)),
        rng.integers(1, max(2, kinds), size=n),
        rng.integers(1, max(2, lengths), size=n),
        rng.integers(1, max(2, rates), size=n),
    )


_EDITS = (0.2, 0.15, 0.2, 0.15, 0.1, 0.1, 0.1, 0.1)
"""Odds of the edits: a task added, dropped, replaced; a weight; the order; the kind; the length; the learning rate."""


def shares_of(weight: Array, denominator: int | None, names: NDArray[np.int64]) -> Array:
    """Return shares of shape (mixes, tasks), as `core.space.on_grid` rounds them; `names`: places of the sorted tasks."""
    present = weight > 0
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
    if denominator is None:
        return np.asarray(share)
    count = present.sum(axis=1)
    grid = np.full(len(weight), denominator)
    while (grid < count).any():
        grid = np.where(grid < count, 2 * grid, grid)
    spare = grid - count
    wish = np.where(present, np.maximum(0.0, share * grid[:, np.newaxis] - 1), 0.0)
    total = wish.sum(axis=1, keepdims=True)
    wish = np.where(total > 0, wish, present)
    exact = wish * (spare[:, np.newaxis] / np.where(total > 0, total, np.maximum(1, count)[:, np.newaxis]))
    whole = np.floor(exact + 1e-9)
    left = np.where(present, exact - whole, -1.0) - 1e-9 * names
    place = np.argsort(np.argsort(-left, axis=1), axis=1)
    whole += place < (spare - whole.sum(axis=1))[:, np.newaxis]
    return np.where(present, (1 + whole) / grid[:, np.newaxis], 0.0)


def _rates(space: SearchSpace) -> tuple[float | None, ...]:
    """Return the learning rates that mixes differ by; None alone where they do not."""
    return space.searched_rates or (None,)


def _weight(params: Mapping[str, Any], task: str) -> float:
    return float(params.get(f"weight/{task}", 1.0)) if params.get(f"use/{task}") else 0.0


def _weights(space: SearchSpace, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    if space.denominator is None:
        return np.exp(rng.uniform(np.log(_LEAST), 0.0, size=shape))
    return rng.integers(1, _WHOLE + 1, size=shape).astype(np.float64)


def _ordered(arrays: ScheduleArrays, have: Sequence[str], want: Sequence[str]) -> ScheduleArrays:
    share, rank = np.zeros((len(arrays.share), len(want))), np.full((len(arrays.share), len(want)), -1)
    for i, task in enumerate(have):
        if task in want:
            share[:, want.index(task)], rank[:, want.index(task)] = arrays.share[:, i], arrays.rank[:, i]
    return dataclasses.replace(arrays, share=share, rank=rank)
