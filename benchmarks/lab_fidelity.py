"""The second lab grid: the first one's mixes with all, 1/2, 1/4 and 1/8 of the target steps. How do short trainings choose?

    nice -n 19 python benchmarks/lab_fidelity.py train   # about 20 CPU seconds a mix; goes on where it stopped
    python benchmarks/lab_fidelity.py pack               # what is there → benchmarks/data/lab_fidelity.npz, scores alone
    python benchmarks/lab_fidelity.py show               # rank correlation, and regret at equal cost

*Generated, code-mixed world: these numbers say how the tool behaves, nothing about real languages.*

Mixes in the order of `lab_grid.py` on the search's seed, 0, at every share before the next mix, so that whatever is there is a
grid; first five seeds of the baseline. The intermediate phase of a mix is trained once for all shares. Each finished mix is one
file in the working folder, renamed into place.

The pretrained model of the first grid is not kept; today's is made by the same recipe with today's code, and its whole
trainings are trained anew beside the short ones. What a choice is worth is read in the first grid: the reporting examples of
seeds 1 and 2. So every share has the same distance to its judge, and none is judged by a training that it was chosen on.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from lab_grid import PACKED as WHOLE
from lab_grid import plans, sizes_of
from numpy.typing import NDArray

from tasksearch.analysis.study_analysis import cell_weights
from tasksearch.bench.grid import Grid, read_grid
from tasksearch.bench.grid_replay import complete_mixes
from tasksearch.bench.results import mean_and_error
from tasksearch.core.folders import cache_folder
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH, Half, Score, ScoreTable
from tasksearch.core.study import Role, TrialRecord
from tasksearch.lab.recipe import LabRecipe
from tasksearch.search.gain_table import GainTable, language_columns
from tasksearch.search.objective import Baseline
from tasksearch.tasks.lab_suite import LAB_WARNING, lab_suite

Array = NDArray[np.float64]
Cell = tuple[str, str, Half]
PACKED = Path(__file__).parent / "data" / "lab_fidelity.npz"
SHARES = (1.0, 0.5, 0.25, 0.125)
BARE, JUDGES = 5, (1, 2)
TARGET_PART = {"the lab's": 160 / 288, "xtreme's": 0.926}
"""Whose study → target phases' part of the steps of a whole trial of the search (the lab: 160 of 288 steps)."""
DRAWS = 1000


def wanted(count: int, recipe: LabRecipe) -> list[Plan]:
    """The baseline's seeds, then the mixes on seed 0, with whole target phases."""
    return [plan for plan in plans(count, 1, sizes_of(recipe)) if plan.schedule.stages or plan.seed < BARE]


def train(options: argparse.Namespace, recipe: LabRecipe) -> None:
    """Train what is not there yet."""
    from tasksearch.phases import ensure_lab, open_context, run_plan

    lab = ensure_lab(recipe)
    done: Path = options.work / "done"
    done.mkdir(parents=True, exist_ok=True)
    context = open_context(lab_suite(), str(lab.data), str(lab.model), str(options.work / "store"), "cpu", store_budget=2**30)
    for number, plan in enumerate(wanted(options.mixes, recipe)):
        file = done / f"{plan.signature}.json"
        scores, cpu = {}, {}
        if file.exists():
            there = json.loads(file.read_text())
            scores, cpu = there["scores"], there["cpu"]
        missing = [share for share in SHARES if str(share) not in scores]
        if not missing:
            continue
        for share in missing:
            before = time.process_time()
            result = run_plan(dataclasses.replace(plan, target_share=share), context)
            cpu[str(share)] = round(time.process_time() - before, 2)
            scores[str(share)] = [[s.target, s.language, s.half, s.value] for s in result.scores]
        part = file.with_suffix(".part")
        part.write_text(json.dumps({"schedule": plan.schedule.to_json(), "seed": plan.seed, "cpu": cpu, "scores": scores}))
        part.replace(file)
        print(number, str(plan.schedule)[:80], cpu, time.strftime("%T"), file=sys.stderr, flush=True)


def pack(options: argparse.Namespace, recipe: LabRecipe) -> None:
    """Put the scores of what was trained into one file."""
    files = [options.work / "done" / f"{plan.signature}.json" for plan in wanted(options.mixes, recipe)]
    found = [one for file in files if file.exists() and len((one := json.loads(file.read_text()))["scores"]) == len(SHARES)]
    cells = sorted({tuple(row[:3]) for row in found[0]["scores"][str(SHARES[0])]})
    scores = np.array(
        [
            [[value for *_, value in sorted(one["scores"][str(share)])] for share in SHARES]
            for one in found
        ],
        dtype=np.float32,
    )  # fmt: skip
    note = {
        "about": "second lab grid: the lab grid's mixes with shorter target phases",
        "warning": LAB_WARNING,
        "recipe": recipe.to_json(),
        "shares": SHARES,
        "cells": cells,
        "trainings": [{"schedule": one["schedule"], "seed": one["seed"]} for one in found],
        "cpu_seconds": round(sum(sum(one["cpu"].values()) for one in found)),
    }
    part = options.out.with_suffix(".part")
    with part.open("wb") as sink:
        np.savez_compressed(sink, note=np.frombuffer(json.dumps(note).encode(), dtype=np.uint8), scores=scores)
    part.replace(options.out)
    size = options.out.stat().st_size / 2**10
    print(f"{len(found)} trainings at {len(SHARES)} shares, {size:.0f} KiB, {note['cpu_seconds']} CPU seconds: {options.out}")


def records_of(tables: Sequence[tuple[Schedule, int, Mapping[Cell, float]]], grid: Grid) -> list[TrialRecord]:
    """Records of a search: each table is a finished trial."""
    found = []
    for number, (schedule, seed, values) in enumerate(tables):
        rows = [
            Score(
                target=t, language=where, half=half, metric=grid.note["metrics"][t], value=float(value), examples=150, seed=seed
            )
            for (t, where, half), value in values.items()
        ]
        targets, languages = (tuple({cell[place] for cell in values}) for place in (0, 1))
        plan = Plan(suite="lab", schedule=schedule, targets=targets, languages=languages, settings=PhaseSettings(), seed=seed)
        role: Role = "search" if schedule.stages else "baseline"
        found.append(TrialRecord(number=number, role=role, status="done", plan=plan, scores=ScoreTable.of(rows)))
    return found


def whole_scores(grid: Grid, schedule: Schedule, seed: int) -> dict[Cell, float]:
    """Scores of a training of the first grid, percent."""
    told = grid.outcomes(schedule, seed)
    return {cell: 100 * float(data[:, 0].sum()) / float(data[:, 1].sum()) for cell, data in told.items()}


def shares_of(grid: Grid) -> Iterator[tuple[float, list[TrialRecord]]]:
    """Yield (share of the target steps, records of a search of all mixes with it), largest share first."""
    with np.load(PACKED, allow_pickle=False) as file:
        note, scores = json.loads(bytes(file["note"])), file["scores"]
    cells = [tuple(cell) for cell in note["cells"]]
    there = [(Schedule.from_json(one["schedule"]), int(one["seed"])) for one in note["trainings"]]
    known = set(complete_mixes(grid))
    kept = [i for i, (schedule, _) in enumerate(there) if not schedule.stages or schedule in known]
    for place, share in enumerate(note["shares"]):
        tables = [(*there[i], dict(zip(cells, scores[i, place], strict=True))) for i in kept]
        yield share, records_of(tables, grid)  # type: ignore[arg-type]


def show() -> None:
    """Print both tables."""
    if not PACKED.is_file():
        sys.exit(f"no {PACKED}: `train`, then `pack`, make it")
    grid = read_grid(WHOLE)
    searches = dict(shares_of(grid))
    mixes = [r.plan.schedule for r in searches[1.0] if r.plan.schedule.stages]
    bare = [r for r in searches[1.0] if not r.plan.schedule.stages]
    print(f"{LAB_WARNING}\n{len(mixes)} mixes, {len(bare)} seeds of the baseline\n")
    correlations(grid, searches, mixes)
    print()
    regrets(grid, searches, mixes)


def correlations(grid: Grid, searches: Mapping[float, list[TrialRecord]], mixes: Sequence[Schedule]) -> None:
    """Print the rank correlation of a mix's selection score on seed 0 with its reporting score on the other seeds."""
    from scipy.stats import rankdata

    groups: Mapping[str, str] = grid.note["groups"]
    every = sorted({(t, where) for t, where, half in grid.codes if half == "report" and where != ENGLISH})
    kinds = {"all": every} | {kind: [c for c in every if groups[c[0]] == kind] for kind in sorted(set(groups.values()))}
    judged = [[whole_scores(grid, mix, seed) for seed in JUDGES] for mix in mixes]
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(mixes), size=(DRAWS, len(mixes)))

    def rank(one: Array, other: Array) -> float:
        return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])

    print("rank correlation with whole trainings on other seeds [95 %, mixes drawn again]; in brackets less that of whole ones")
    for name, cells in kinds.items():
        weights = cell_weights(cells, groups)
        truth = np.array(
            [np.mean([sum(w * one[(*cell, "report")] for cell, w in weights.items()) for one in seeds]) for seeds in judged]
        )
        told, whole = [], np.zeros(DRAWS)
        for share, records in searches.items():
            values = [r.scores.values("select") for r in records if r.plan.schedule.stages]
            seen = np.array([sum(w * one[cell] for cell, w in weights.items()) for one in values])
            again = np.array([rank(seen[draw], truth[draw]) for draw in drawn])
            whole = again if share == 1 else whole
            low, high = np.quantile(again, (0.025, 0.975))
            text = f"{share:g}: {rank(seen, truth):.2f} [{low:.2f}, {high:.2f}]"
            if share < 1:
                text += " ({:+.2f} to {:+.2f})".format(*np.quantile(again - whole, (0.025, 0.975)))
            told.append(text)
        print(f"{name:15} {'; '.join(told)}")


def regrets(grid: Grid, searches: Mapping[float, list[TrialRecord]], mixes: Sequence[Schedule]) -> None:
    """Print what the pooled pick of a random search loses against the best recorded mix, at equal numbers of steps."""
    cells = sorted({(t, where) for t, where, half in grid.codes if half == "report" and where != ENGLISH})
    groups: Mapping[str, str] = grid.note["groups"]
    columns = language_columns(cells, cell_weights(cells, groups))
    weights = [cell_weights(members, groups) for members in columns.values()]
    worth = np.array(
        [
            [
                np.mean([sum(w * one[(*cell, "report")] for cell, w in own.items()) for one in seeds])
                for own in weights
            ]
            for seeds in ([whole_scores(grid, mix, seed) for seed in JUDGES] for mix in mixes)
        ]
    )  # fmt: skip
    across = np.arange(len(weights))

    def picked(records: Sequence[TrialRecord], order: Sequence[int], count: int) -> float:
        bare = [r for r in records if not r.plan.schedule.stages]
        tried = [r for r in records if r.plan.schedule.stages]
        chosen = sorted(order[:count])
        table = GainTable.of([*bare, *(tried[i] for i in chosen)], Baseline.of(bare))
        assert table is not None
        held = table.by_language(weights, cell_weights(cells, groups)).mean.argmax(axis=0)
        return float((worth.max(axis=0) - worth[[chosen[row] for row in held], across]).mean())

    print("points lost by the pooled pick per language, mean ± standard error over 60 random orders; less that of whole ones")
    for whose, part in TARGET_PART.items():
        for budget in (12, 24, 48):
            if budget >= len(mixes):
                continue
            lost: dict[float, list[float]] = {}
            told = []
            for share, records in searches.items():
                count = min(len(mixes), int(budget / (1 - part * (1 - share))))
                orders = [random.Random(seed).sample(range(len(mixes)), len(mixes)) for seed in range(60)]
                lost[share] = [picked(records, order, count) for order in orders]
                mean, error = mean_and_error(lost[share])
                text = f"{share:g}, {count} mixes: {mean:.2f} ± {error:.2f}"
                if share < 1:
                    less = [one - other for one, other in zip(lost[share], lost[1.0], strict=True)]
                    text += " ({:+.2f} ± {:.2f})".format(*mean_and_error(less))
                told.append(text)
            print(f"{whose} steps, {budget} whole trainings  {'; '.join(told)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("action", choices=("train", "pack", "show"))
    parser.add_argument("--mixes", type=int, default=300)
    parser.add_argument("--work", type=Path, default=cache_folder() / "lab_fidelity", help="folder of finished trainings")
    parser.add_argument("--out", type=Path, default=PACKED)
    options: Any = parser.parse_args()
    recipe = LabRecipe(world_seed=0)
    if options.action == "show":
        show()
    else:
        {"train": train, "pack": pack}[options.action](options, recipe)


if __name__ == "__main__":
    main()
