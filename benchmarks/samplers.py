"""Regret of samplers on planted worlds, paired world by world, as ratios to random with 95 % intervals.

    chrt -i 0 nice -n 19 python benchmarks/samplers.py --keep /tmp/samplers.jsonl --samplers random tpe auto
    python benchmarks/samplers.py --held --worlds 40 ...      # the families that nobody tuned on
    python benchmarks/samplers.py --held --table ...          # from what was kept

Every world is appended to --keep when it is done; a second run goes on there. `gp` and `optuna-tpe` are Optuna's GPSampler and
TPESampler with their defaults, over the same designed trials; `gp-flat` is GPSampler over a space without conditions.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from flat_gp import flat_gp_search

from tasksearch.bench.campaign import FAMILIES
from tasksearch.bench.sampler_regret import regrets
from tasksearch.bench.samplers import SEARCHES, Search, tpe_search
from tasksearch.bench.simulate import GUESSES
from tasksearch.bench.skill_worlds import HELD_OUT, TUNED

NAMES = {"gp": "optuna.samplers.GPSampler", "optuna-tpe": "optuna.samplers.TPESampler"}
_DRAWS = 4000


def search_of(name: str, lag: int) -> Search:
    if name == "gp-flat":
        return flat_gp_search
    found = SEARCHES[name] if name in SEARCHES else partial(tpe_search, sampler=NAMES.get(name, name))
    return found if lag == 1 or name == "random" else partial(found, lag=lag)


def measure(options: argparse.Namespace) -> None:
    wanted = {str(count) for count in options.trials}
    done = {(row["family"], row["world"], row["sampler"]) for row in rows_of(options.keep) if wanted <= row["regret"].keys()}
    for world in range(options.first, options.first + options.worlds):  # world by world: a cut run is paired all the same
        for family in families_of(options):
            for sampler in options.samplers:
                if (family, world, sampler) in done:
                    continue
                begin = time.process_time()
                found = regrets(
                    FAMILIES[family],
                    world,
                    search_of(sampler, options.lag),
                    options.trials,
                    () if options.no_guesses else GUESSES,
                )
                cells = {str(count): vars(each) for count, each in found.items()}
                row = {"family": family, "world": world, "sampler": sampler, "cpu": round(time.process_time() - begin, 2)}
                with options.keep.open("a") as sink:
                    sink.write(json.dumps(row | {"regret": cells}) + "\n")


def rows_of(path: Path) -> list[dict]:  # type: ignore[type-arg]
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def families_of(options: argparse.Namespace) -> list[str]:
    return options.family or [family.name for family in (HELD_OUT if options.held else TUNED).values()]


def ratio(top: np.ndarray, bottom: np.ndarray) -> str:
    """Ratio of means over worlds with a 95 % interval: worlds are drawn again, with both samplers of each."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(top), size=(_DRAWS, len(top)))
    low, high = np.quantile(top[drawn].mean(axis=1) / bottom[drawn].mean(axis=1), (0.025, 0.975))
    return f"{top.mean() / bottom.mean():.2f} [{low:.2f}, {high:.2f}]"


def table(options: argparse.Namespace, what: str, against: Sequence[str]) -> list[str]:
    wanted = families_of(options)
    found: dict[tuple[str, int], dict[str, dict]] = {}  # type: ignore[type-arg]
    for row in rows_of(options.keep):
        asked = row["family"] in wanted and row["sampler"] in options.samplers
        if asked and {str(count) for count in options.trials} <= row["regret"].keys():
            found.setdefault((row["family"], row["world"]), {})[row["sampler"]] = row["regret"]
    paired = {key: cells for key, cells in found.items() if set(cells) == set(options.samplers)}
    whole = list(paired.values())
    lines = [f"{len(whole)} worlds with all of {', '.join(options.samplers)}; {what}", ""]
    lines.append("| sampler | " + " | ".join(f"{n} trials" for n in options.trials) + " |")
    lines.append("|---|" + "---:|" * len(options.trials))

    def values(sampler: str, count: int) -> np.ndarray:
        return np.array([cells[sampler][str(count)][what] for cells in whole])

    for sampler in options.samplers:
        each = [values(sampler, n) for n in options.trials]
        shown = [f"{v.mean():.3f} ± {v.std(ddof=1) / len(v) ** 0.5:.3f}" for v in each]
        lines.append(f"| {sampler} | " + " | ".join(shown) + " |")
    for other in against:
        for sampler in options.samplers:
            if sampler != other:
                shown = [ratio(values(sampler, n), values(other, n)) for n in options.trials]
                lines.append(f"| {sampler} / {other} | " + " | ".join(shown) + " |")
                for family in wanted if options.by_family else ():
                    own = np.array([name == family for name, _ in paired])
                    shown = [ratio(values(sampler, n)[own], values(other, n)[own]) for n in options.trials] if own.any() else []
                    lines += [f"| {family}, {own.sum()} worlds | " + " | ".join(shown) + " |"] * bool(shown)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samplers", nargs="+", default=["random", "tpe"])
    parser.add_argument("--family", nargs="+", default=[])
    parser.add_argument("--held", action="store_true", help="the families that nobody tuned on")
    parser.add_argument("--worlds", type=int, default=40, help="of each family")
    parser.add_argument("--trials", type=int, nargs="+", default=[24, 48, 96])
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument(
        "--lag", type=int, default=1, help="results of the last LAG - 1 trials are not known; keep those elsewhere"
    )
    parser.add_argument("--no-guesses", action="store_true", help="picks rest on trials at a guess too; keep those elsewhere")
    parser.add_argument("--table", action="store_true", help="only what was kept")
    parser.add_argument("--against", nargs="+", default=["random"])
    parser.add_argument("--by-family", action="store_true", help="every ratio for each family too")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)  # GPSampler says at every parameter that it draws it at random
    if not options.table:
        measure(options)
    for what in ("picked", "single", "trained"):
        print("\n".join(table(options, what, options.against)) + "\n", flush=True)


if __name__ == "__main__":
    main()
