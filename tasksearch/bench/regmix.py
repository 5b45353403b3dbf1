"""RegMix's recorded runs: 512 mixtures of 17 domains and 256 more, with the losses that small models reached on 13 domains.

A mixture of domains corresponds to a mixture of tasks, the loss on a domain to the score in a language. Each order draws as
many of the 512 as a search would have trained; every predictor is fitted on them and predicts the other 256. Regret is the loss
of the mixture with the best prediction, less the least loss among the 256, as a share of their range; rank correlation is
Spearman's; both are means over domains. (Data: sail-sg/regmix, MIT; Liu et al. 2024.)
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.picker import Picker, Shown
from tasksearch.bench.pickers import PICKERS, PREDICTORS, Predictor
from tasksearch.bench.results import BenchRows
from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule

Array = NDArray[np.float64]
_STEPS = 1000  # every recorded run had one length


@dataclass(frozen=True, kw_only=True, eq=False)
class RegMix:
    """The recorded runs.

    Attributes:
        pool, held: mixtures.
        pool_scores, held_scores: negative losses, shape (mixtures, domains): larger is better.
    """

    pool: tuple[Schedule, ...]
    pool_scores: Array
    held: tuple[Schedule, ...]
    held_scores: Array


def read_regmix(folder: Path) -> RegMix:
    """Read the four files.

    Raises:
        DataMissing: one of them is missing.
        BadInput: mixtures and losses are not of the same runs.
    """
    pool, pool_scores = _read(folder, "train")
    held, held_scores = _read(folder, "test")
    return RegMix(pool=pool, pool_scores=pool_scores, held=held, held_scores=held_scores)


def _read(folder: Path, part: str) -> tuple[tuple[Schedule, ...], Array]:
    (names, shares), (_, losses) = (_table(folder / f"{part}_{what}_1m.csv") for what in ("mixture", "pile_loss"))
    if [row[0] for row in shares] != [row[0] for row in losses]:
        raise BadInput(
            f"{folder}: the rows of {part}_mixture_1m.csv and {part}_pile_loss_1m.csv differ; expected the same runs"
        )
    short = [name.removeprefix("train_the_pile_") for name in names[1:]]
    mixes = tuple(
        Schedule.joint(Mixture.of({name: share for name, share in zip(short, row[1:], strict=True) if share > 0}), _STEPS)
        for row in shares
    )
    return mixes, -np.array(losses)[:, 1:]


def _table(path: Path) -> tuple[list[str], list[list[float]]]:
    if not path.is_file():
        raise DataMissing(f"no {path}; the replay reads RegMix's recorded runs (github.com/sail-sg/regmix, data for 1M models)")
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    return head, [[float(cell) for cell in row] for row in rows]


def replay(
    data: RegMix,
    order: int,
    trials: Sequence[int],
    *,
    pickers: Mapping[str, Picker] = PICKERS,
    predictors: Mapping[str, Predictor] = PREDICTORS,
) -> BenchRows:
    """Replay one order of the pool: row → number of trials → value."""
    if max(trials) > len(data.pool):
        raise BadInput(f"{max(trials)} trials; expected at most {len(data.pool)}, the mixtures that were recorded")
    rows = BenchRows()
    drawn = np.random.default_rng(order).permutation(len(data.pool))
    for count in trials:
        chosen = drawn[:count]
        scores = data.pool_scores[chosen]
        units = scores.std(axis=0)
        shown = Shown(
            schedules=tuple(data.pool[i] for i in chosen),
            gains=(scores - scores.mean(axis=0)) / units,
            seeds=np.zeros((0, scores.shape[1])),
        )
        for name, predict in predictors.items():
            guess = predict(shown, data.held)
            rows.add(f"rank correlation on the 256, {name}", count, _rank_correlation(guess, data.held_scores))
            rows.add(f"regret on the 256, {name}", count, _regret(guess, data.held_scores, data.held_scores))
        for name, worth in pickers.items():
            rows.add(f"regret in the pool, {name}", count, _regret(worth(shown), scores, data.pool_scores))
    return rows


def _rank_correlation(guess: Array, truth: Array) -> float:
    ranks: Callable[[Array], Array] = lambda values: values.argsort(axis=0).argsort(axis=0).astype(np.float64)  # noqa: E731
    here, there = ranks(guess), ranks(truth)
    return float(np.mean([np.corrcoef(here[:, j], there[:, j])[0, 1] for j in range(truth.shape[1])]))


def _regret(guess: Array, among: Array, every: Array) -> float:
    """Return the regret against the best of `every` as a share of the range, mean over domains."""
    best, least = every.max(axis=0), every.min(axis=0)
    got = among[guess.argmax(axis=0), np.arange(among.shape[1])]
    return float(np.mean((best - got) / (best - least)))
