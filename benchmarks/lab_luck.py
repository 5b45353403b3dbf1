"""Why picks by the surrogate gain no more than the bare maximum on the recorded lab grid: what luck is like there.

    nice -n 15 python benchmarks/lab_luck.py            # about a minute of one core

300 mixes on three seeds, so that worth and luck can be told apart. Scores are per language, points of percent.
"""

from __future__ import annotations

import argparse
import random
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.estimates import score_of
from tasksearch.analysis.study_analysis import cell_weights
from tasksearch.bench.grid import Grid, read_grid
from tasksearch.bench.grid_replay import SEEDS, complete_mixes
from tasksearch.bench.pickers import PICKERS, Shown
from tasksearch.bench.results import mean_and_error
from tasksearch.core.schedule import Schedule
from tasksearch.search.gain_table import language_columns
from tasksearch.search.surrogate.multitask_gp import surrogate_over

Array = NDArray[np.float64]
HERE = Path(__file__).parent / "data" / "lab_grid.npz"
TRIALS, BASELINE = 96, 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=45)
    options = parser.parse_args()
    grid = read_grid(HERE)
    mixes = complete_mixes(grid)
    languages, select, bare = scores(grid, mixes, "select")
    _, report, bare_report = scores(grid, mixes, "report")
    print(" " * 62 + "  ".join(f"{name:>7}" for name in languages))
    for name, values in zip(("mixes", "seeds, all mixes alike", "mix x seed"), parts(select), strict=True):
        print(row(f"deviation of selection scores over {name}", values))
    print(row("a mix's luck foretold from other mixes' on the same two seeds", foretold(mixes, select)))
    own, others = worth_foretold(mixes, select, report)
    print(row("worth (other seeds, reporting) foretold by a mix's own score", own))
    print(row("the same foretold by other mixes' scores alone", others))
    print()
    for name, values in picks(mixes, select, report, bare, bare_report.mean(axis=0), options.orders).items():
        mean, error = mean_and_error(values)
        print(f"{name:70s}{mean:6.2f} ± {error:.2f}")


def scores(grid: Grid, mixes: list[Schedule], half: str) -> tuple[list[str], Array, Array]:
    """Languages; scores of shape (mixes, seeds, languages); the baseline's, shape (baseline seeds, languages)."""
    groups = dict(grid.note["groups"])
    cells = [(target, language) for target, language, each in grid.codes if each == half and language != "en"]
    columns = language_columns(cells, cell_weights(cells, groups))
    weights = {name: cell_weights(members, groups) for name, members in columns.items()}

    def told(mix: Schedule, seed: int) -> list[float]:
        found = {cell: score_of(grid.outcomes(mix, seed)[*cell, half]) for cell in cells}
        return [sum(weight * found[cell] for cell, weight in each.items()) for each in weights.values()]

    none = Schedule.none()
    whole = np.array([[told(mix, seed) for seed in range(SEEDS)] for mix in mixes])
    return list(weights), whole, np.array([told(none, seed) for seed in grid.seeds(none)])


def parts(table: Array) -> tuple[Array, Array, Array]:
    """Deviations over mixes, over seeds that all mixes share, and of what is left, per language (two-way random model)."""
    m, s, _ = table.shape
    mean, rows, columns = table.mean(axis=(0, 1)), table.mean(axis=1), table.mean(axis=0)
    left = np.square(table - rows[:, np.newaxis] - columns + mean).sum(axis=(0, 1)) / ((m - 1) * (s - 1))
    of_mixes = np.square(rows - mean).sum(axis=0) / (m - 1) - left / s
    of_seeds = np.square(columns - mean).sum(axis=0) / (s - 1) - left / m
    return np.sqrt(np.maximum(0, of_mixes)), np.sqrt(np.maximum(0, of_seeds)), np.sqrt(left)


def foretold(mixes: list[Schedule], select: Array, folds: int = 6) -> Array:
    """Correlation of the surrogate's prediction with the difference of two seeds, at mixes that it was not shown."""
    found = []
    for rest, held in splits(len(mixes), folds):
        surrogate = surrogate_over([mixes[i] for i in rest])
        for one, other in combinations(range(SEEDS), 2):
            luck = select[:, one] - select[:, other]
            found.append(correlations(surrogate.elsewhere([mixes[i] for i in held], luck[rest]), luck[held]))
    return np.mean(found, axis=0)


def worth_foretold(mixes: list[Schedule], select: Array, report: Array, folds: int = 6) -> tuple[Array, Array]:
    """Correlation with the other seeds' reporting scores: of a mix's own score on one seed, of what other mixes foretell."""
    own, others = [], []
    for rest, held in splits(len(mixes), folds):
        surrogate = surrogate_over([mixes[i] for i in rest])
        for seed in range(SEEDS):
            worth = report[:, [k for k in range(SEEDS) if k != seed]].mean(axis=1)[held]
            own.append(correlations(select[held, seed], worth))
            others.append(correlations(surrogate.elsewhere([mixes[i] for i in held], select[rest, seed]), worth))
    return np.mean(own, axis=0), np.mean(others, axis=0)


def splits(count: int, folds: int) -> list[tuple[list[int], list[int]]]:
    """Random thirds that a surrogate is not shown, by fixed draws."""
    drawn = [random.Random(fold).sample(range(count), count) for fold in range(folds)]
    return [(places[count // 3 :], places[: count // 3]) for places in drawn]


def correlations(one: Array, other: Array) -> Array:
    return np.array([np.corrcoef(one[:, j], other[:, j])[0, 1] for j in range(one.shape[1])])


def picks(
    mixes: list[Schedule], select: Array, report: Array, bare: Array, level: Array, orders: int
) -> dict[str, list[float]]:
    """Searches of random mixes, all on one seed or each on one of two (less the mean of its seed); the third seed judges."""
    rows: dict[str, list[float]] = {}
    scale = bare[:BASELINE].std(axis=0, ddof=1)
    seeds, across = (bare[:BASELINE] - bare[:BASELINE].mean(axis=0)) / scale, np.arange(select.shape[2])
    for order in range(orders):
        rng = random.Random(order)
        judge = order % SEEDS
        one, other = rng.sample([k for k in range(SEEDS) if k != judge], 2)
        chosen = rng.sample(range(len(mixes)), TRIALS)
        worth = report[chosen, judge] - level
        which = np.array([rng.random() < 0.5 for _ in chosen])
        mixed = np.where(which[:, np.newaxis], select[chosen, one], select[chosen, other])
        for side in (which, ~which):
            mixed[side] -= mixed[side].mean(axis=0) - np.mean([select[chosen, k].mean(axis=0) for k in (one, other)], axis=0)
        for name, told in (("one seed", select[chosen, one]), ("two seeds", mixed)):
            gains = (told - bare[:BASELINE].mean(axis=0)) / scale
            shown = Shown(schedules=tuple(mixes[i] for i in chosen), gains=gains, seeds=seeds)
            for picker in ("bare", "pooled"):
                values = PICKERS[picker](shown) * scale
                best = values.argmax(axis=0)
                quarter = np.argsort(-values, axis=0)[: TRIALS // 4]
                inside = [np.corrcoef(values[quarter[:, j], j], worth[quarter[:, j], j])[0, 1] for j in across]
                for what, value in (
                    ("points gained by the pick", worth[best, across].mean()),
                    ("points foreseen - gained", (values[best, across] - worth[best, across]).mean()),
                    ("correlation with the judge", correlations(values, worth).mean()),
                    ("the same within its own best quarter", float(np.mean(inside))),
                ):
                    rows.setdefault(f"search on {name}, {picker}: {what}", []).append(float(value))
    return rows


def row(name: str, values: Array) -> str:
    return f"{name:62s}" + "  ".join(f"{value:7.2f}" for value in values)


if __name__ == "__main__":
    main()
