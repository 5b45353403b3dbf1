"""The recorded lab grid: several hundred mixes of the lab, three seeds each, for replaying searches without training.

    nice -n 5 python benchmarks/lab_grid.py train   # about an hour of one core; goes on where it stopped
    python benchmarks/lab_grid.py pack              # what is there → benchmarks/data/lab_grid.npz

*Generated, code-mixed world: these numbers say how the tool behaves, nothing about real languages.*

Mixes: the designed trials of the space `joint_vs_seq` at its shorter length (128 steps), then mixes that the tool's own random
sampler draws from it. Every finished training is one file in the working folder, renamed into place when it is whole, so a kill
loses the training in hand alone. Mixes are trained one after the other with all their seeds: whatever is there is a grid.
Segments that mixes have in common (the first stages of sequential ones) train once.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from search_spaces.joint_vs_seq import SPACE
from tasksearch.bench.grid import write_grid
from tasksearch.core.folders import cache_folder
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace, decode
from tasksearch.lab.recipe import LabRecipe
from tasksearch.phases import ensure_lab, open_context, run_plan
from tasksearch.phases.context import RunContext
from tasksearch.search.designed_trials import designed_trials
from tasksearch.search.random_schedules import random_params
from tasksearch.tasks.lab_suite import LAB_WARNING, lab_suite

DRAWS = 20261125
"""Seed of the mixes."""
BASELINE_SEEDS = 8
PACKED = Path(__file__).parent / "data" / "lab_grid.npz"


def space() -> SearchSpace:
    """The default space over the lab's tasks, at one length."""
    suite = lab_suite()
    names = tuple(card.name for card in suite.intermediates)
    return dataclasses.replace(SPACE, name="lab_grid", tasks=names, steps=suite.steps[:1])


def mixes(count: int, sizes: dict[str, int]) -> list[Schedule]:
    """Designed trials, then distinct random mixes: the first `count`, the same for any larger count."""
    found = dict.fromkeys(design.schedule for design in designed_trials(space(), sizes))
    rng = random.Random(DRAWS)
    while len(found) < count:
        schedule = decode(space(), random_params(space(), rng))
        if schedule is not None:
            found.setdefault(schedule)
    return list(found)[:count]


def plans(count: int, seeds: int, sizes: dict[str, int]) -> Iterator[Plan]:
    """The baseline's seeds, then every mix with all its seeds."""
    suite = lab_suite()
    targets = tuple(card.name for card in suite.targets)
    wanted = [(Schedule.none(), seed) for seed in range(BASELINE_SEEDS)]
    wanted += [(schedule, seed) for schedule in mixes(count, sizes) for seed in range(seeds)]
    for schedule, seed in wanted:
        yield Plan(
            suite="lab", schedule=schedule, targets=targets, languages=suite.languages, settings=suite.settings, seed=seed
        )


def sizes_of(recipe: LabRecipe) -> dict[str, int]:
    """Training examples per intermediate task: the lab writes equally many of each."""
    return {card.name: recipe.intermediate_train for card in lab_suite().intermediates}


def train(options: argparse.Namespace, recipe: LabRecipe) -> None:
    """Trains what is not there yet."""
    lab = ensure_lab(recipe)
    work: Path = options.work
    (work / "done").mkdir(parents=True, exist_ok=True)
    context = open_context(lab_suite(), str(lab.data), str(lab.model), str(work / "store"), "cpu", store_budget=3 * 2**30)
    wanted = list(plans(options.mixes, options.seeds, sizes_of(recipe)))
    todo = [plan for plan in wanted if not _file(work, plan).exists()]
    print(f"{len(wanted) - len(todo)} trainings are there, {len(todo)} to do, in {work}", file=sys.stderr, flush=True)
    began = time.process_time()
    for done, plan in enumerate(todo, start=1):
        _train_one(work, plan, context)
        spent = time.process_time() - began
        if done % 10 == 0 or done == len(todo):
            print(f"{done} of {len(todo)}, {spent:.0f} CPU seconds, {spent / done:.2f} each", file=sys.stderr, flush=True)


def _train_one(work: Path, plan: Plan, context: RunContext) -> None:
    before = time.process_time()
    result = run_plan(plan, context)
    cells = sorted(result.outcomes)
    arrays = {"/".join(cell): np.asarray(result.outcomes[cell], dtype=np.float32) for cell in cells}
    values = {(s.target, s.language, s.half): s.value for s in result.scores}
    note = {"plan": plan.signature, "seed": plan.seed, "cpu": round(time.process_time() - before, 2), "facts": result.facts}
    target = _file(work, plan)
    part = target.with_suffix(".part")
    with part.open("wb") as sink:
        np.savez_compressed(
            sink, __note__=np.array(json.dumps(note)), __scores__=np.array([values[cell] for cell in cells]), **arrays
        )
    part.replace(target)


def pack(options: argparse.Namespace, recipe: LabRecipe) -> None:
    """Puts what was trained into one file, mixes with all their seeds alone."""
    wanted = list(plans(options.mixes, options.seeds, sizes_of(recipe)))
    there = [plan for plan in wanted if _file(options.work, plan).exists()]
    seeds = Counter(plan.schedule for plan in there)
    whole = [plan for plan in there if not plan.schedule.stages or seeds[plan.schedule] >= options.seeds]
    trainings, notes = [], []
    for plan in whole:
        with np.load(_file(options.work, plan), allow_pickle=False) as file:
            notes.append(json.loads(str(file["__note__"])))
            cells = [name for name in file.files if not name.startswith("__")]
            trainings.append((plan.schedule, plan.seed, {tuple(cell.split("/")): file[cell] for cell in cells}))
    suite, count = lab_suite(), len(seeds) - 1
    asked = f"--mixes {options.mixes} --seeds {options.seeds} --world {options.world}"
    note = {
        "about": "lab grid",
        "warning": LAB_WARNING,
        "recipe": recipe.to_json() | {"signature": recipe.signature, "draws": DRAWS, "space": space().name},
        "command": f"python benchmarks/lab_grid.py train {asked}",
        "versions": notes[0]["facts"],
        "cpu_seconds": round(sum(n["cpu"] for n in notes)),
        "groups": suite.groups,
        "metrics": {card.name: card.metric for card in suite.targets},
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_grid(options.out, note, trainings)
    size = options.out.stat().st_size / 2**20
    print(
        f"{count} mixes begun, {len(whole)} trainings packed, {size:.2f} MiB, {note['cpu_seconds']} CPU seconds: {options.out}"
    )


def _file(work: Path, plan: Plan) -> Path:
    return work / "done" / f"{plan.signature}.npz"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("action", choices=("train", "pack"))
    parser.add_argument("--mixes", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--world", type=int, default=0, help="seed of the generated world")
    parser.add_argument("--work", type=Path, default=cache_folder() / "lab_grid", help="folder of finished trainings")
    parser.add_argument("--out", type=Path, default=PACKED)
    options = parser.parse_args()
    print(LAB_WARNING, file=sys.stderr)
    recipe = LabRecipe(world_seed=options.world)
    if options.action == "train":
        train(options, recipe)
    else:
        pack(options, recipe)


if __name__ == "__main__":
    main()
