"""The verdict on planted worlds: regret, optimism, coverage, and how often a search is called worth it.

    nice -n 15 python benchmarks/worlds.py            # everything: about ten minutes of one core
    python benchmarks/worlds.py held --worlds 20      # one family, quickly
    python benchmarks/worlds.py held-collapse --race  # seeds that fail, and as many seeds as a study has by default

Settings were fixed on the family `tune` (worlds 0-79) before `held` was run once; see benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from datetime import date
from pathlib import Path

from tasksearch.bench.kept_worlds import kept
from tasksearch.bench.measure import Setting
from tasksearch.bench.planted_world import FAMILIES
from tasksearch.bench.table import table_lines

WORLDS = {"held": 400, "null": 300, "one": 150, "pair": 150}
TRIALS = (24, 48, 96)
FIRST = 1000  # tuning looked at worlds 0-79; no number is used for both


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family", nargs="*", default=list(WORLDS))
    parser.add_argument("--worlds", type=int)
    parser.add_argument("--first", type=int, default=FIRST)
    parser.add_argument("--race", action="store_true", help="two to five seeds, as a study has by default; else three")
    parser.add_argument("--half-width", type=float, help="from two seeds on, until gains are known so well")
    parser.add_argument("--max-trainings", type=int, help="from two seeds on, until a study has so many trainings")
    parser.add_argument("--no-guesses", action="store_true", help="collapsed trainings are told by their mix's seeds alone")
    parser.add_argument("--no-regrets", action="store_true", help="do not search for each world's best mix: a third faster")
    parser.add_argument("--trials", type=int, nargs="+", default=list(TRIALS))
    parser.add_argument("--keep", type=Path, help="append every world's results to this file, and go on where it ends")
    options = parser.parse_args()
    for name in options.family:
        count = options.worlds or WORLDS.get(name, 100)
        started = time.process_time()
        races = options.race or options.half_width or options.max_trainings
        setting = Setting(leader_seeds=2, most_seeds=5) if races else Setting()
        setting = dataclasses.replace(setting, half_width=options.half_width, max_trainings=options.max_trainings)
        setting = dataclasses.replace(setting, regrets=not options.no_regrets)
        setting = dataclasses.replace(setting, guesses=()) if options.no_guesses else setting
        worlds = range(options.first, options.first + count)
        cells = kept(options.keep, FAMILIES[name], worlds, options.trials, setting)
        print(f"## {name}: {count} worlds, {date.today()}, {time.process_time() - started:.0f} s of one core\n", flush=True)
        print("\n".join(table_lines(cells)) + "\n", flush=True)


if __name__ == "__main__":
    main()
