"""Does a surrogate that knows the fidelity of each score choose better at equal cost? Searches replayed on the second lab grid.

    nice -n 15 python benchmarks/pooled_fidelities.py --orders 60 --keep /tmp/pooled.jsonl

*Generated, code-mixed world: these numbers say how the tool behaves, nothing about real languages.*

Half of the steps of a search go to short trainings of random mixes, the other half to whole trainings of those that the short
ones rank first (their intermediate phase is there already). The same trainings then choose in four ways: whole scores alone;
all trainings in one Gaussian process over (mix, share of the target steps), whose covariance between two shares is that of the
mixes times a correlation found by its evidence (a product kernel, as in Swersky, Snoek, Adams 2013); the same with each mix at
its longest training alone; the first again, but the pick is one of the mixes with a whole training. Beside them stands a search
that spends all its steps on whole trainings. The short baseline is not charged, and steps count as in a study of suite
`xtreme`, where target phases are 93 % of them: both favour the short ones. Every order is a line of --keep; a second run goes
on there.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from lab_fidelity import JUDGES, TARGET_PART, WHOLE, shares_of, whole_scores
from numpy.typing import NDArray

from tasksearch.analysis.study_analysis import cell_weights
from tasksearch.bench.grid import read_grid
from tasksearch.bench.results import mean_and_error
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.core.study import TrialRecord
from tasksearch.search.gain_table import language_columns
from tasksearch.search.surrogate.multitask_gp import OWN, Posterior, Surrogate, _best_likelihood, _posterior, seed_contrasts
from tasksearch.search.surrogate.warping import Warp
from tasksearch.tasks.lab_suite import LAB_WARNING

Array = NDArray[np.float64]
TIES = (0.0, 0.3, 0.6, 0.8, 0.9, 0.97)
"""Correlations of two shares of the target steps, of which the evidence chooses."""
SHORT = (0.5, 0.25, 0.125)
BUDGETS = (12, 24)


@dataclass(frozen=True, kw_only=True, eq=False)
class PooledSurrogate(Surrogate):
    """The surrogate over trainings of mixes, each with its share of the target steps; a mix may stand there at several.

    Attributes:
        shares: of each training.
        tie: correlation between two shares.
    """

    shares: tuple[float, ...]
    tie: float

    @cached_property
    def mixes(self) -> Array:
        """Covariance of the mixes themselves under every kernel, shape (kernels, T, T)."""
        plain = np.array(Surrogate._between.func(self))  # type: ignore[attr-defined]
        same = np.equal.outer(np.array([str(one) for one in self.schedules]), np.array([str(one) for one in self.schedules]))
        return np.asarray(plain + OWN * (same - np.eye(len(same))))

    @cached_property
    def _between(self) -> list[Array]:
        alike = np.equal.outer(np.array(self.shares), np.array(self.shares))
        return list(self.mixes * np.where(alike, 1.0, self.tie))

    def log_evidence(self, scores: Array, noise: Array) -> float:
        """Return the log likelihood of the best kernel: of the columns' mean and of the rest, each at its best ratio."""
        mean = scores.mean(axis=1, keepdims=True)
        contrast = noise.mean(axis=1, keepdims=True)
        return max(
            _best_likelihood(vectors.T @ mean, values, contrast)
            + _best_likelihood(vectors.T @ (scores - mean), values, noise - contrast)
            for values, vectors in self.bases
        )

    def whole(self, scores: Array, seeds: Array) -> Posterior:
        """Return what every training's mix would score with whole target phases; means alone, in the units of `scores`."""
        noise = seed_contrasts(seeds, scores.shape[1])
        across = self.mixes * np.where(np.array(self.shares) == 1, 1.0, self.tie)
        mean = np.zeros_like(scores)
        kept = self.kept(scores, noise) if scores.shape[1] > 1 else [(1.0, place) for place in self.best_place(scores, noise)]
        for weight, place in kept:
            values, vectors = self.bases[place]
            found = _posterior(vectors.T @ scores, values, noise)
            mean += weight * across[place] @ vectors @ (found.mean / np.maximum(values, 1e-9)[:, np.newaxis])
        return Posterior(mean=mean, deviation=np.zeros_like(mean))

    def best_place(self, scores: Array, noise: Array) -> list[int]:
        """Return the kernel of largest evidence, in a list."""
        return [int(np.argmax(self.evidence(scores, noise)))]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The second grid as arrays.

    Attributes:
        mixes: M of them.
        gains: share → (M, languages), over the mean of the share's own baseline, in deviations of the whole one.
        seeds: share → (seeds, languages), the baseline in the same units.
        worth: points, (M, languages): reporting examples of two other seeds.
        units: points per unit, (languages,).
    """

    mixes: tuple[Schedule, ...]
    gains: Mapping[float, Array]
    seeds: Mapping[float, Array]
    worth: Array
    units: Array

    @classmethod
    def read(cls) -> Recorded:
        """Read both grids."""
        grid = read_grid(WHOLE)
        searches = dict(shares_of(grid))
        cells = sorted({(t, where) for t, where, half in grid.codes if half == "report" and where != ENGLISH})
        columns = language_columns(cells, cell_weights(cells, grid.note["groups"])).values()
        scored = {share: _scored(records, list(columns)) for share, records in searches.items()}
        bare = {share: np.array([row for row, none in rows if none]) for share, rows in scored.items()}
        units = bare[1.0].std(axis=0, ddof=1)
        mixes = tuple(r.plan.schedule for r in searches[1.0] if r.plan.schedule.stages)
        judged = [[whole_scores(grid, mix, seed) for seed in JUDGES] for mix in mixes]
        worth = [
            [np.mean([sum(w * o[(*c, "report")] for c, w in own.items()) for o in each]) for own in columns] for each in judged
        ]
        return cls(
            mixes=mixes,
            gains={
                s: (np.array([row for row, none in rows if not none]) - bare[s].mean(axis=0)) / units
                for s, rows in scored.items()
            },
            seeds={share: (rows - rows.mean(axis=0)) / units for share, rows in bare.items()},
            worth=np.array(worth),
            units=units,
        )

    def lost(self, chosen: Sequence[int], means: Array, together: Array) -> tuple[float, float]:
        """Return points lost to the best recorded mix: per language, and with one mix for all.

        Args:
            chosen: numbers of the mixes that may be picked.
            means, together: believed gains of these, (chosen, languages) and (chosen,); combined as in `GainTable.by_language`.
        """
        held = means - means.mean(axis=1, keepdims=True) + together[:, np.newaxis]
        rows = np.array(chosen)
        best = self.worth[rows[held.argmax(axis=0)], np.arange(len(self.units))]
        one = self.worth[rows[int(together.argmax())]]
        return float((self.worth.max(axis=0) - best).mean()), float(self.worth.mean(axis=1).max() - one.mean())


def _scored(
    records: Sequence[TrialRecord], columns: Sequence[Mapping[tuple[str, str], float]]
) -> list[tuple[list[float], bool]]:
    found = []
    for record in records:
        values = record.scores.values("select")
        found.append(([sum(w * values[c] for c, w in own.items()) for own in columns], not record.plan.schedule.stages))
    return found


def posterior(data: Recorded, shares: Mapping[int, Sequence[float]]) -> tuple[list[int], Array, Array, float]:
    """Believe in whole target phases of these mixes.

    Args:
        shares: number of a mix → shares of the target steps that it was trained with.

    Returns:
        Numbers of the mixes, their gains (mixes, languages), the gains over all languages (mixes,), and the tie.
    """
    rows = [(number, share) for number, own in shares.items() for share in own]
    scores = np.array([data.gains[share][number] for number, share in rows])
    seeds = data.seeds[1.0]
    mixes, own = tuple(data.mixes[number] for number, _ in rows), tuple(share for _, share in rows)
    plain = Surrogate(schedules=mixes)
    warp: Warp = plain.warp(scores)
    bent, noise = warp.forward(scores), seed_contrasts(warp.forward(seeds), scores.shape[1])
    ties = TIES if len(set(own)) > 1 else (1.0,)
    models = {tie: PooledSurrogate(schedules=mixes, shares=own, tie=tie) for tie in ties}
    tie = max(models, key=lambda one: models[one].log_evidence(bent, noise)) if len(models) > 1 else 1.0
    told = models[tie].whole(bent, warp.forward(seeds))
    mean = warp.back(told.mean, np.zeros_like(told.mean))[0]
    overall = models[tie].whole(scores.mean(axis=1, keepdims=True), seeds.mean(axis=1, keepdims=True)).mean[:, 0]
    first = {number: row for row, (number, _) in reversed(list(enumerate(rows)))}
    places = list(first.values())
    return list(first), mean[places], overall[places], tie


def searched(data: Recorded, order: int, part: float, budget: int, share: float) -> dict[str, tuple[float, ...]]:
    """Run one order: way of choosing → points lost per language, with one mix for all, number of mixes, tie."""
    drawn = random.Random(order).sample(range(len(data.mixes)), len(data.mixes))
    if share == 1:
        return {"whole": _chosen(data, dict.fromkeys(drawn[:budget], (1.0,)))}
    price = 1 - part * (1 - share)
    short = drawn[: min(len(drawn), int(budget / 2 / price))]
    left = budget - price * len(short)
    first = _believed_short(data, short, share)
    ranked = [short[row] for row in np.argsort(-first, kind="stable")]
    longer = ranked[: max(1, min(len(short), int(left / part)))]
    fresh = drawn[len(short) :][: max(0, int(left - part * len(longer)))]  # what is left when every short one was lengthened
    wholes = dict.fromkeys((*longer, *fresh), (1.0,))
    both = {number: (1.0, share) if number in wholes else (share,) for number in (*short, *fresh)}
    both |= dict.fromkeys(fresh, (1.0,))
    once = {number: (own[0],) for number, own in both.items()}
    return {
        "short, then whole; whole alone chooses": _chosen(data, wholes),
        "the same, pooled": _chosen(data, both),
        "the same, pooled, each mix once": _chosen(data, once),
        "the same, pooled, among the whole ones": _chosen(data, both, wholes),
    }


def _believed_short(data: Recorded, short: Sequence[int], share: float) -> Array:
    """Return what short trainings alone say of the mean over languages."""
    gains, seeds = data.gains[share][list(short)], data.seeds[share]
    model = Surrogate(schedules=tuple(data.mixes[number] for number in short))
    return model.posterior(gains.mean(axis=1, keepdims=True), seeds.mean(axis=1, keepdims=True)).mean[:, 0]


def _chosen(data: Recorded, shares: Mapping[int, Sequence[float]], among: Collection[int] | None = None) -> tuple[float, ...]:
    """Pick among these mixes, by default all that were trained."""
    numbers, mean, overall, tie = posterior(data, shares)
    kept = [row for row, number in enumerate(numbers) if among is None or number in among]
    return (*data.lost([numbers[row] for row in kept], mean[kept], overall[kept]), float(len(kept)), tie)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--orders", type=int, default=60)
    parser.add_argument("--keep", type=Path, required=True)
    options = parser.parse_args()
    data = Recorded.read()
    lines = [json.loads(line) for line in options.keep.read_text().splitlines()] if options.keep.exists() else []
    for order in range(len(lines), options.orders):
        rows = {}
        for budget in BUDGETS:
            for share in (1.0, *SHORT):
                for name, found in searched(data, order, TARGET_PART["xtreme's"], budget, share).items():
                    rows[f"{budget}|{share:g}|{name}"] = found
        with options.keep.open("a") as sink:
            sink.write(json.dumps(rows) + "\n")
        lines.append(rows)
        print(f"order {order}, {time.process_time():.0f} CPU seconds", file=sys.stderr, flush=True)
    show(lines[: options.orders], len(data.mixes))


def show(lines: Sequence[Mapping[str, Sequence[float]]], mixes: int) -> None:
    """Print what each way loses, less the search of whole trainings."""
    print(f"{LAB_WARNING}\n{mixes} mixes, {len(lines)} orders; points lost, ± standard error over orders; less `whole`\n")
    print("| steps of | share | way | mixes | tie | per language | one mix for all |\n|---|---:|---|---:|---:|---:|---:|")
    for key in lines[0]:
        budget, share, name = key.split("|")
        values = np.array([line[key] for line in lines])
        beside = values - np.array([line[f"{budget}|1|whole"] for line in lines])
        told = []
        for place in (0, 1):
            mean, error = mean_and_error(values[:, place].tolist())
            apart = "" if share == "1" else " ({:+.2f} ± {:.2f})".format(*mean_and_error(beside[:, place].tolist()))
            told.append(f"{mean:.2f} ± {error:.2f}{apart}")
        tie = "" if share == "1" or "pooled" not in name else f"{values[:, 3].mean():.2f}"
        print(f"| {budget} whole trainings | {share} | {name} | {values[:, 2].mean():.0f} | {tie} | {' | '.join(told)} |")


if __name__ == "__main__":
    main()
