"""What distances between languages are worth to `--sampler auto`: how well untrained mixes are foretold, with and without.

    nice -n 15 python benchmarks/sampler_distances.py --keep /tmp/distances.jsonl --worlds 10 --first 700

On tuning families of planted worlds: after 16, 24, 48 and 96 mixes (designed ones, then random ones) the surrogate predicts 400
others. `families`: the world's own distances, 0 within a language family, else 1; `noisy`: one third of these, two thirds
random; `wrong`: those of other languages. Printed are ratios to no distances: of one minus the correlation with the true gains,
and of what the mix held best for each language loses.
"""

from __future__ import annotations

import argparse
import json
from itertools import combinations
from pathlib import Path

import numpy as np

from tasksearch.bench.simulate import proposed, searched, space_of
from tasksearch.bench.skill_worlds import TUNED, SkillWorld
from tasksearch.core.score import ENGLISH
from tasksearch.search.candidate_mixes import random_mixes
from tasksearch.search.gain_table import GainTable, language_columns
from tasksearch.search.objective import Baseline
from tasksearch.search.surrogate.alike_columns import Distances, alike_columns
from tasksearch.search.surrogate.multitask_gp import surrogate_over
from tasksearch.search.surrogate.prediction import FittedSurrogate

TRIALS, SEEDS, MIXES = (16, 24, 48, 96), 5, 400


def variants(world: SkillWorld, languages: list[str], rng: np.random.Generator) -> dict[str, Distances]:
    true = {(a, b): world.distances.get((a, b), world.distances.get((b, a), 0.0)) for a, b in combinations(languages, 2)}
    other = dict(zip(languages, map(str, rng.permutation(languages)), strict=True))
    both = true | {(b, a): apart for (a, b), apart in true.items()}
    return {
        "none": {},
        "families": true,
        "noisy": {pair: (apart + 2 * rng.random()) / 3 for pair, apart in true.items()},
        "wrong": {(a, b): both[other[a], other[b]] for a, b in true},
    }


def measured(world: SkillWorld) -> list[dict[str, object]]:
    records = searched(world, proposed(world, max(TRIALS), world.seed), SEEDS).records
    space, rows = space_of(world), []
    mixes = random_mixes(space, np.random.default_rng(world.seed), MIXES)
    for count in TRIALS:
        table = GainTable.of(records[: SEEDS + count], Baseline.of(records[:SEEDS]))
        assert table is not None
        cells = [cell for cell in table.cells if cell[1] != ENGLISH]
        columns = language_columns(cells, dict.fromkeys(cells, 1.0))
        languages, across = list(columns), np.arange(len(columns))
        true = world.gains_of(mixes.arrays(space))[:, [world.languages.index(language) for language in languages]]
        surrogate = surrogate_over([first.plan.schedule for first in table.firsts], space.tasks)
        gains, seeds = table.weighted(list(columns.values()))
        for name, distances in variants(world, languages, np.random.default_rng(world.seed)).items():
            fitted = FittedSurrogate.of(surrogate, gains, seeds, alike_columns(languages, distances))
            mean = fitted.predict(mixes.arrays(space, surrogate.tasks)).mean
            missed = 1 - float(np.mean([np.corrcoef(mean[:, j], true[:, j])[0, 1] for j in across]))
            lost = float((true.max(axis=0) - true[mean.argmax(axis=0), across]).mean())
            rows.append({"trials": count, "distances": name, "missed": missed, "lost": lost})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", nargs="+", default=["families", "saturation", "interference"], choices=list(TUNED))
    parser.add_argument("--worlds", type=int, default=10)
    parser.add_argument("--first", type=int, default=700)
    parser.add_argument("--keep", type=Path, required=True)
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.keep.read_text().splitlines()] if options.keep.exists() else []
    known = {(row["family"], row["world"]) for row in rows}
    for number in range(options.first, options.first + options.worlds):
        for family in options.family:
            if (family, number) not in known:
                world = TUNED[family].draw(number)
                assert isinstance(world, SkillWorld)
                new = [{"family": family, "world": number, **row} for row in measured(world)]
                with options.keep.open("a") as sink:
                    sink.writelines(json.dumps(row) + "\n" for row in new)
                rows += new
    for family in options.family:
        for name in ("families", "noisy", "wrong"):
            print(family, name, *(cell(rows, family, name, count) for count in TRIALS), sep=" | ")


def cell(rows: list[dict], family: str, name: str, count: int) -> str:  # type: ignore[type-arg]
    own = [row for row in rows if row["family"] == family and row["trials"] == count]
    told, bare = ({row["world"]: row for row in own if row["distances"] == one} for one in (name, "none"))
    ratios = np.array([row["missed"] / bare[world]["missed"] for world, row in told.items()])
    lost = sum(row["lost"] for row in told.values()) / sum(row["lost"] for row in bare.values())
    return f"{ratios.mean():.3f} ± {ratios.std(ddof=1) / len(ratios) ** 0.5:.3f}, lost {lost:.2f}"


if __name__ == "__main__":
    main()
