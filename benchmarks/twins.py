"""Joint or sequential on planted worlds: coverage of the twins' intervals, wrong verdicts, power.

    nice -n 15 python benchmarks/twins.py                    # everything: about twenty minutes of one core
    python benchmarks/twins.py null --worlds 20              # one family, quickly

The truth is joint - sequential averaged over 300 other mixtures of the same space, from the worlds' closed form.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from datetime import date

import numpy as np

from tasksearch.bench.matched_worlds import MatchedResult, matched_result
from tasksearch.bench.planted_world import FAMILIES, draw_world
from tasksearch.bench.results import mean_and_error

WORLDS = {"null": 300, "held": 400, "tune": 100}
FIRST = 3000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family", nargs="*", default=list(WORLDS))
    parser.add_argument("--worlds", type=int)
    parser.add_argument("--mixtures", type=int, default=6)
    options = parser.parse_args()
    for name in options.family:
        count = options.worlds or WORLDS[name]
        started = time.process_time()
        found = [matched_result(draw_world(FAMILIES[name], FIRST + i), mixtures=options.mixtures) for i in range(count)]
        spent = time.process_time() - started
        print(f"## {name}: {count} worlds, {options.mixtures} mixtures × 3 seeds, {date.today()}, {spent:.0f} s of one core\n")
        print("\n".join(lines(found)) + "\n", flush=True)


def lines(found: Sequence[MatchedResult]) -> list[str]:
    """A table; every error is over worlds."""
    clear = [r for r in found if abs(r.truth) >= (r.main.detectable or np.inf)]
    rows = [
        ("coverage of the 95 % interval, all languages, %", [100.0 * r.covered for r in found]),
        ("coverage of the 95 % interval, single languages, %", [100.0 * r.covered_languages for r in found]),
        ("printed difference - truth, points", [r.main.value - r.truth for r in found]),
        ("names a winner, %", [100.0 * (r.answer.verdict in ("joint", "sequential")) for r in found]),
        ("names a winner that is none, or the loser, %", [100.0 * r.wrong for r in found]),
        ("size of the true difference, points", [abs(r.truth) for r in found]),
        ("smallest difference it says it could see, points", [r.main.detectable or np.nan for r in found]),
        (
            f"names the winner where the truth is at least that ({len(clear)} worlds), %",
            [100.0 * (r.answer.verdict == ("joint" if r.truth > 0 else "sequential")) for r in clear],
        ),
    ]
    told = [
        f"| {name} | {mean:.2f} ± {error:.2f} |" for name, values in rows if values for mean, error in [mean_and_error(values)]
    ]
    return ["| mean over worlds ± standard error | |", "|---|---:|", *told]


if __name__ == "__main__":
    main()
