"""Racing against a fixed number of fresh seeds: what is spent, and what is said.

nice -n 15 python benchmarks/racing.py            # about four minutes of one core
"""

from __future__ import annotations

import argparse
import time
from datetime import date
from pathlib import Path

from tasksearch.bench.kept_worlds import kept
from tasksearch.bench.measure import Setting, SizeResults, mean_and_error
from tasksearch.bench.planted_world import FAMILIES

DESIGNS = {
    "fixed, 5 seeds each": Setting(leader_seeds=5, most_seeds=5),
    "fixed, 3 seeds each": Setting(leader_seeds=3, most_seeds=3),
    "race, 3 to 5": Setting(leader_seeds=3, most_seeds=5),
    "race, 2 to 5": Setting(leader_seeds=2, most_seeds=5),
}
FIRST = {"one": 3200}
"""Worlds 3000-3119 of `one` were looked at before the race's last setting: fresh ones are read."""
SHOWN = (
    "spent", "gained", "claims", "false_claims", "false_worse", "covered", "covered_all", "half_width", "final", "corrected",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family", nargs="*", default=["held", "null", "one"])
    parser.add_argument("--worlds", type=int, default=120)
    parser.add_argument("--keep", type=Path, help="append every world's results to this file, and go on where it ends")
    options = parser.parse_args()
    for name in options.family:
        started, first = time.process_time(), FIRST.get(name, 3000)
        found: dict[str, SizeResults] = {
            design: kept(options.keep, FAMILIES[name], range(first, first + options.worlds), [24], setting)[24]
            for design, setting in DESIGNS.items()
        }
        spent = time.process_time() - started
        print(f"## {name}: worlds {first}-{first + options.worlds - 1}, 24 trials, {date.today()}, {spent:.0f} s\n")
        print("| | " + " | ".join(SHOWN) + " |\n|---|" + "---:|" * len(SHOWN))
        for design, cell in found.items():
            values = [mean_and_error(getattr(cell, field)) for field in SHOWN]
            print(f"| {design} | " + " | ".join(f"{mean:.3f} ± {error:.3f}" for mean, error in values) + " |")
        print(flush=True)


if __name__ == "__main__":
    main()
