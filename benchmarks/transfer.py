"""How high can the rank correlation of two studies be if their encoders agree? The recorded lab grid, seed against seed.

`--from-study` prints the correlation of two encoders' scores over the mixes that both trained, one seed each. Here both are the
same encoder on different seeds, so that only the luck of seeds and the choice of mixes lower it. A study of N mixes on one seed
is drawn from the grid, the K best and a spread are taken over (`analysis.transfer.chosen_places`, by the scores as they are)
and correlated with another seed's scores. Beside it: how often the printed interval holds the correlation over the whole grid.

    python benchmarks/transfer.py
"""

from __future__ import annotations

import statistics
from itertools import permutations

import numpy as np

from tasksearch.analysis.transfer import chosen_places, rank_correlation
from tasksearch.bench.campaign import GRID_FILE
from tasksearch.bench.grid import read_grid
from tasksearch.bench.grid_replay import complete_mixes
from tasksearch.core.score import ENGLISH
from tasksearch.search.objective import binomial_error

DRAWS, STUDIES, CONFIRM = 300, (20, 60), (4, 8, 16)

grid = read_grid(GRID_FILE)
mixes, groups = complete_mixes(grid), dict(grid.note["groups"])
cells = [cell for cell in grid.codes if cell[2] == "select" and cell[1] != ENGLISH]
score = {cell: grid.values[cell][grid.codes[cell]].sum(axis=1) / grid.totals[cell].sum() * 100 for cell in cells}
bare = [place for place, (mix, _) in enumerate(grid.trainings) if not grid.mixes[mix].stages]
examples = {cell: len(grid.totals[cell]) for cell in cells}
gain = {
    cell: (each - each[bare].mean()) / max(each[bare].std(ddof=1), binomial_error(each[bare].mean(), examples[cell]))
    for cell, each in score.items()
}
kinds = {kind: [target for target in groups if groups[target] == kind] for kind in sorted(set(groups.values()))}


def mean_gain(targets: list[str]) -> np.ndarray:
    """Return the gain of every training, mean over languages, then over targets."""
    return np.mean([np.mean([gain[cell] for cell in cells if cell[0] == target], axis=0) for target in targets], axis=0)


overall = np.mean([mean_gain(targets) for targets in kinds.values()], axis=0)
seeds = grid.seeds(mixes[0])
by_seed = {seed: overall[[grid.places[mix, seed] for mix in mixes]] for seed in seeds}
pairs = list(permutations(seeds, 2))
whole = {pair: rank_correlation("all", by_seed[pair[0]], by_seed[pair[1]]).value for pair in pairs}
print(
    f"{len(mixes)} mixes, seeds {seeds}: correlation of one seed with another {', '.join(f'{v:+.2f}' for v in whole.values())}"
)
rng = np.random.default_rng(0)
for study in STUDIES:
    for confirm in CONFIRM:
        if confirm > study:
            continue
        values, held, best = [], [], []
        for draw in range(DRAWS):
            pair = pairs[draw % len(pairs)]
            first, second = (by_seed[seed] for seed in pair)
            ranked = sorted(rng.choice(len(mixes), study, replace=False), key=lambda row: -first[row])
            rows = [ranked[place] for place in chosen_places([False] * study, confirm)]
            found = rank_correlation("all", first[rows], second[rows])
            values.append(found.value)
            held.append(found.low <= whole[pair] <= found.high)
            best.append(max(second[ranked[:confirm]]) >= max(second[ranked]))
        low, middle, high = np.percentile(values, [5, 50, 95])
        print(
            f"study of {study}, --confirm {confirm}: {len(rows)} mixes, correlation {statistics.fmean(values):+.2f} (5 to 95 % "
            f"{low:+.2f} to {high:+.2f}, median {middle:+.2f}); interval holds that over all mixes in {np.mean(held):.0%}; the "
            f"other seed's best mix is among the {confirm} best in {np.mean(best):.0%}"
        )
