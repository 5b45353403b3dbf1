"""Do the 95 % intervals of `best --effects` hold on planted worlds?

    nice -n 15 python benchmarks/effects.py                 # three families, 40 worlds each
    python benchmarks/effects.py held --worlds 8

Shares are over effects and languages; the error is that of their mean over worlds, which are the clusters. Nothing was tuned on
these worlds but that questions of order are put to kernels that see order.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from datetime import date

from tasksearch.bench.effects import CheckedEffect, checked
from tasksearch.bench.planted_world import FAMILIES

WORLDS, TRIALS, FIRST = 40, (24, 48, 96), 2000
WORDS = {
    "drop": "leaving a task out",
    "shapley": "Shapley value of a task",
    "kind": "sequential or annealed rather than joint",
    "last": "a task last rather than first",
    "pair": "the three strongest pairs",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family", nargs="*", default=["held", "tune", "null"])
    parser.add_argument("--worlds", type=int, default=WORLDS)
    options = parser.parse_args()
    for name in options.family:
        started = time.process_time()
        columns = {trials: [checked(FAMILIES[name], FIRST + n, trials) for n in range(options.worlds)] for trials in TRIALS}
        spent = time.process_time() - started
        print(f"### {name}: {options.worlds} worlds, {date.today()}, {spent:.0f} s of one core\n", flush=True)
        print("| covered by the 95 % interval | " + " | ".join(f"{n} trials" for n in TRIALS) + " |")
        print("|---|" + "---:|" * len(TRIALS))
        for kind, words in WORDS.items():
            for row, where in ((False, "per language"), (True, "all languages")):
                print(f"| {words}, {where} | " + " | ".join(_cell(columns[n], kind, row) for n in TRIALS) + " |")
        print(flush=True)


def _cell(worlds: list[list[CheckedEffect]], kind: str, together: bool) -> str:
    """Coverage ± standard error over worlds; half the interval, and the mean size of the truth, in points."""
    found = defaultdict(list)
    for place, world in enumerate(worlds):
        found[place] = [c for c in world if c.effect.kind == kind and (c.row == "all") == together]
    shares = [statistics.fmean(c.covered for c in members) for members in found.values() if members]
    if len(shares) < 2:
        return "–"
    every = [c for members in found.values() for c in members]
    reach, size = statistics.fmean(c.effect.reach for c in every), statistics.fmean(abs(c.truth) for c in every)
    error = statistics.stdev(shares) / len(shares) ** 0.5
    return f"{100 * statistics.fmean(shares):.1f} ± {100 * error:.1f} % (± {reach:.1f} for {size:.1f})"


if __name__ == "__main__":
    main()
