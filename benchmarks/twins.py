"""Joint or sequential on planted worlds: coverage of the intervals, wrong verdicts, power.

    nice -n 15 python benchmarks/twins.py                      # everything: about twenty minutes of one core
    python benchmarks/twins.py null --worlds 20                # one family, quickly
    python benchmarks/twins.py held --sets 6 --pairs 27        # designs of 54 trainings each

A matched set has a mixture's joint training and two orders on three seeds that all share: nine trainings. A pair has one of
each on a seed of its own. The truth is joint - sequential averaged over 300 or 900 other mixtures of the same space, from the
worlds' closed form.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

import numpy as np

from tasksearch.bench.matched_worlds import MatchedResult, matched_result, paired_result
from tasksearch.bench.planted_world import FAMILIES, PlantedWorld, draw_world
from tasksearch.bench.results import mean_and_error

WORLDS = {"null": 300, "held": 400, "tune": 100}
FIRST = 3000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family", nargs="*", default=list(WORLDS))
    parser.add_argument("--worlds", type=int)
    parser.add_argument("--first", type=int, default=FIRST)
    parser.add_argument("--sets", type=int, nargs="*", default=[6])
    parser.add_argument("--pairs", type=int, nargs="*", default=[27])
    options = parser.parse_args()
    designs: dict[str, Callable[[PlantedWorld], MatchedResult]] = {
        f"{count} mixtures × 3 seeds × (joint + 2 orders)": partial(matched_result, mixtures=count) for count in options.sets
    } | {f"{count} pairs, a seed of its own each": partial(paired_result, pairs=count) for count in options.pairs}
    for name in options.family:
        count = options.worlds or WORLDS.get(name, 100)
        for words, design in designs.items():
            started = time.process_time()
            found = [design(draw_world(FAMILIES[name], options.first + i)) for i in range(count)]
            spent = time.process_time() - started
            print(f"## {name}: {count} worlds, {words}, {date.today()}, {spent:.0f} s of one core\n")
            print("\n".join(lines(found)) + "\n", flush=True)


def lines(found: Sequence[MatchedResult]) -> list[str]:
    """A table; every error is over worlds."""
    clear = [r for r in found if abs(r.truth) >= (r.main.detectable or np.inf)]
    large = [r for r in found if abs(r.truth) >= 1]
    rows = [
        ("coverage of the 95 % interval, all languages, %", [100.0 * r.covered for r in found]),
        ("coverage of the 95 % interval, single languages, %", [100.0 * r.covered_languages for r in found]),
        ("printed difference - truth, points", [r.main.value - r.truth for r in found]),
        (
            "half-width of the 95 % interval, all languages, points",
            [(r.main.high - r.main.low) / 2 for r in found if r.main.low is not None],
        ),
        ("names a winner, %", [100.0 * (r.answer.verdict in ("joint", "sequential")) for r in found]),
        ("names a winner that is none, or the loser, %", [100.0 * r.wrong for r in found]),
        ("says equivalent within one point, %", [100.0 * r.answer.equivalence.shown for r in found]),
        ("says so where the truth is a point or more, %", [100.0 * r.answer.equivalence.shown for r in large]),
        ("size of the true difference, points", [abs(r.truth) for r in found]),
        ("smallest difference it says it could see, points", [r.main.detectable or np.nan for r in found]),
        (f"names the winner where the truth is at least that ({len(clear)} worlds), %", [100.0 * _named(r) for r in clear]),
        (f"names the winner where the truth is at least a point ({len(large)} worlds), %", [100.0 * _named(r) for r in large]),
    ]
    told = [
        f"| {name} | {mean:.2f} ± {error:.2f} |" for name, values in rows if values for mean, error in [mean_and_error(values)]
    ]
    return ["| mean over worlds ± standard error | |", "|---|---:|", *told]


def _named(result: MatchedResult) -> bool:
    return result.answer.verdict == ("joint" if result.truth > 0 else "sequential")


if __name__ == "__main__":
    main()
