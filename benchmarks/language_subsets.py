"""What a search loses that scores a part of the languages, stratified or not: recorded trainings, nothing is trained.

    python benchmarks/language_subsets.py [--orders 40]

The lab grid: selection scores of one seed in some of the seven languages choose, reporting scores of the two other seeds in all
languages judge. Strata are those that the lab's languages were made in: near, low-resource, of another type, of another script.
The real record: strata are sizes of text (`language_groups`); reporting examples of the same trainings judge, whose luck is
theirs.
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from tasksearch.analysis.study_analysis import cell_weights
from tasksearch.bench.grid import read_grid
from tasksearch.bench.grid_replay import complete_mixes
from tasksearch.bench.results import mean_and_error
from tasksearch.bench.study_replay import RecordedStudy
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.search.gain_table import language_columns
from tasksearch.search.surrogate.multitask_gp import surrogate_over
from tasksearch.tasks.lab_suite import LAB_WARNING
from tasksearch.tasks.languages import language_groups

Array = NDArray[np.float64]
DATA = Path(__file__).parent / "data"
SEEDS, BARE = 3, 5
LAB_STRATA = (("near1", "near2"), ("lownear", "lowfar"), ("agglu", "sov"), ("script",))


def lab() -> tuple[list[str], tuple[Schedule, ...], Array, Array, Array]:
    """Languages, mixes, selection and reporting scores (mixes, seeds, languages), selection scores of the baseline's seeds."""
    grid = read_grid(DATA / "lab_grid.npz")
    cells = sorted({(t, where) for t, where, half in grid.codes if half == "report" and where != ENGLISH})
    columns = language_columns(cells, cell_weights(cells, grid.note["groups"]))

    def of(mix: Schedule, seed: int, half: str) -> list[float]:
        told = grid.outcomes(mix, seed)
        score = {c: 100 * float(told[(*c, half)][:, 0].sum()) / float(told[(*c, half)][:, 1].sum()) for c in cells}  # type: ignore[index]
        return [sum(w * score[c] for c, w in own.items()) for own in columns.values()]

    mixes = tuple(complete_mixes(grid))
    chosen, judged = (
        np.array([[of(mix, seed, half) for seed in range(SEEDS)] for mix in mixes]) for half in ("select", "report")
    )
    return list(columns), mixes, chosen, judged, np.array([of(Schedule.none(), seed, "select") for seed in range(BARE)])


def real() -> tuple[list[str], Array, Array]:
    """Languages, selection and reporting scores (mixes, languages) of the real record."""
    study = RecordedStudy.read(DATA / "real_study")
    known = list(study.known.values())
    cells = sorted({cell for cell in known[0].scores.values("report") if cell[1] != ENGLISH})
    columns = language_columns(cells, cell_weights(cells, study.groups))
    halves = [
        np.array(
            [[sum(w * record.scores.values(half)[c] for c, w in own.items()) for own in columns.values()] for record in known]
        )
        for half in ("select", "report")
    ]
    return list(columns), halves[0], halves[1]


def spearman(one: Array, other: Array) -> float:
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def designs(languages: Sequence[str], strata: Sequence[Sequence[str]]) -> Iterator[tuple[str, list[list[int]]]]:
    """Yield (name, subsets as numbers of languages)."""
    place = {language: number for number, language in enumerate(languages)}
    kept = [[place[one] for one in group if one in place] for group in strata]
    stratified = [sorted(own) for own in itertools.product(*kept)]
    yield f"all {len(languages)}", [list(range(len(languages)))]
    yield f"{len(kept)}, one of each stratum", stratified
    yield f"any {len(kept)}", [list(own) for own in itertools.combinations(range(len(languages)), len(kept))]
    if len(kept) != 2:
        yield "any 2", [list(own) for own in itertools.combinations(range(len(languages)), 2)]
    yield "one", [[number] for number in range(len(languages))]


def lab_table(orders: int) -> None:
    """Print rank correlations, and what the pooled pick of random searches gains less."""
    languages, mixes, chosen, judged, bare = lab()
    unit = bare.std(axis=0, ddof=1)
    worth = np.stack(
        [np.delete(judged, seed, axis=1).mean(axis=1) for seed in range(SEEDS)], axis=1
    )  # (mixes, seed of search, languages)
    print(f"{LAB_WARNING}\n")
    print(f"lab grid, {len(mixes)} mixes; {orders} orders of 24 and 48 random mixes; points less than all languages choose\n")
    print(
        "| languages scored | rank correlation | one mix for all, 24 | 48 | per language, 24 | 48 |\n"
        "|---|---:|---:|---:|---:|---:|"
    )
    whole: dict[tuple[int, int], tuple[float, float]] = {}
    for name, subsets in designs(languages, LAB_STRATA):
        held = [
            spearman(chosen[:, seed][:, own].mean(axis=1), worth[:, seed].mean(axis=1))
            for own in subsets
            for seed in range(SEEDS)
        ]
        told = []
        found: dict[int, list[tuple[float, float]]] = {24: [], 48: []}
        for count, order in itertools.product(found, range(orders)):
            draw, seed = random.Random(order), order % SEEDS
            rows = draw.sample(range(len(mixes)), count)
            own = subsets[order % len(subsets)] if len(subsets) <= orders else draw.choice(subsets)
            one, each = picks(mixes, rows, chosen[:, seed], bare, unit, own)
            goal = worth[:, seed]
            gained = (float(goal[one].mean()), float(goal[each, np.arange(len(languages))].mean()))
            before = whole.setdefault((count, order), gained)
            found[count].append((gained[0] - before[0], gained[1] - before[1]))
        for place in (0, 1):
            told += ["{:+.2f} ± {:.2f}".format(*mean_and_error([values[place] for values in found[count]])) for count in found]
        print(f"| {name} | {np.mean(held):.2f} ({min(held):.2f} to {max(held):.2f}) | {' | '.join(told)} |", flush=True)


def picks(
    mixes: Sequence[Schedule], rows: Sequence[int], scores: Array, bare: Array, unit: Array, own: Sequence[int]
) -> tuple[int, Array]:
    """Return the mix picked for all languages and the one picked for each, numbers of mixes, from these languages alone.

    As `GainTable.by_language` does it; a language that is not scored gets the pick for all.
    """
    listed = list(own)
    gains, seeds = ((scores[list(rows)] - bare.mean(axis=0)) / unit)[:, listed], ((bare - bare.mean(axis=0)) / unit)[:, listed]
    model = surrogate_over([mixes[row] for row in rows])
    together = model.posterior(gains.mean(axis=1, keepdims=True), seeds.mean(axis=1, keepdims=True)).mean[:, 0]
    each = model.posterior(gains, seeds).mean if len(listed) > 1 else together[:, np.newaxis]
    held = each - each.mean(axis=1, keepdims=True) + together[:, np.newaxis]
    one = rows[int(together.argmax())]
    picked = np.full(scores.shape[1], one)
    picked[listed] = np.array(rows)[held.argmax(axis=0)]
    return one, picked


def real_table() -> None:
    """Print the same correlations on the real record, and what the best mix of the subset loses there."""
    languages, chosen, judged = real()
    groups = language_groups(languages)
    low, more = set(groups.get("low", ())), set(groups.get("low+", ()))
    strata = [sorted(own) for own in (low, more - low, set(languages) - low - more) if own]
    goal = judged.mean(axis=1)
    print(f"\nreal record, {len(chosen)} mixes, one training each; strata {'; '.join(' '.join(own) for own in strata)}\n")
    print("| languages scored | rank correlation | points lost by the largest mean |\n|---|---:|---:|")
    for name, subsets in designs(languages, strata):
        means = [chosen[:, own].mean(axis=1) for own in subsets]
        held = [spearman(mean, goal) for mean in means]
        lost = [float(goal.max() - goal[mean.argmax()]) for mean in means]
        ranges = [f"{np.mean(own):.2f} ({min(own):.2f} to {max(own):.2f})" for own in (held, lost)]
        print(f"| {name} | {' | '.join(ranges)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--orders", type=int, default=40)
    options = parser.parse_args()
    lab_table(options.orders)
    real_table()


if __name__ == "__main__":
    main()
