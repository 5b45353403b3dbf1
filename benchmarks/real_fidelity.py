"""A recorded study's mixes with shorter target phases: how do short trainings rank them?

    python benchmarks/real_fidelity.py train STUDY --out scores.json --mixes 16   # goes on where it stopped
    python benchmarks/real_fidelity.py show STUDY --out scores.json

The mixes are those of the search's seed, 0, whose trained intermediate phases are taken from the study's store. A short
training's selection score is set beside the whole training's reporting score. Both begin with the same intermediate phase, and
the whole one is judged by itself: its own correlation is flattered by the luck that its two halves share, and is a ceiling.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from language_subsets import spearman
from real_rates import means_of

from tasksearch.core.study import SEARCHED, TrialRecord
from tasksearch.phases.context import open_context
from tasksearch.phases.run import run_plan
from tasksearch.records.ledger import Ledger
from tasksearch.tasks.catalogue import load_suite

SHARES = (0.5, 0.25, 0.125)
DRAWS = 1000
Means = Mapping[str, float]
"""Target → mean over languages but English, percent."""


def mixes_of(study: Path, count: int) -> list[TrialRecord]:
    """Finished trials of the search's seed, those at a rare rate first, so that a part of them holds every rate."""
    found = [r for r in Ledger(study).written() if r.status == "done" and r.role in SEARCHED and r.plan.seed == 0]
    rates = [r.plan.learning_rate for r in found]
    return sorted(found, key=lambda r: (rates.count(r.plan.learning_rate), r.number))[:count]


def train(options: argparse.Namespace) -> None:
    """Train what is not there yet."""
    config = Ledger(options.study).config()
    store = (options.study / "store.location").read_text().strip()
    context = open_context(load_suite(config.suite), options.data, config.model, store, "cpu", accept_versions=True)
    done: dict[str, dict[str, Means]] = json.loads(options.out.read_text()) if options.out.exists() else {}
    for record in mixes_of(options.study, options.mixes):
        own = done.setdefault(str(record.number), {})
        for share in SHARES:
            if str(share) in own:
                continue
            result = run_plan(dataclasses.replace(record.plan, target_share=share), context)
            own[str(share)] = means_of(result.scores, "select")
            part = options.out.with_suffix(".part")
            part.write_text(json.dumps(done))
            part.replace(options.out)
            print(record.number, share, record.plan.words, file=sys.stderr, flush=True)


def show(options: argparse.Namespace) -> None:
    """Print the rank correlation at every share, a target each and over all, with 95 % of mixes drawn again."""
    done = {int(number): own for number, own in json.loads(options.out.read_text()).items() if len(own) == len(SHARES)}
    records = [r for r in mixes_of(options.study, options.mixes) if r.number in done]
    worth = [means_of(r.scores, "report") for r in records]
    told: dict[float, list[Means]] = {1.0: [means_of(r.scores, "select") for r in records]}
    told |= {share: [done[r.number][str(share)] for r in records] for share in SHARES}
    drawn = np.random.default_rng(0).integers(len(records), size=(DRAWS, len(records)))
    rates = [r.plan.learning_rate for r in records]
    counts = ", ".join(f"{rates.count(rate)} at {rate:g}" for rate in sorted(set(rates)))
    print(f"{len(records)} mixes of {options.study}: {counts}")
    for target in (*sorted(worth[0]), "all"):

        def of(one: Means, target: str = target) -> float:
            return statistics.fmean(one.values()) if target == "all" else one[target]

        truth, cells = np.array([of(one) for one in worth]), []
        for share, values in told.items():
            seen = np.array([of(one) for one in values])
            if len(set(seen)) == 1:
                cells.append(f"{share:g}: all {seen[0]:.1f}")
                continue
            again = [spearman(seen[draw], truth[draw]) for draw in drawn]
            low, high = np.nanquantile(again, (0.025, 0.975))
            cells.append(f"{share:g}: {spearman(seen, truth):+.2f} [{low:+.2f}, {high:+.2f}]")
        print(f"{target:12}", "; ".join(cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("train", "show"))
    parser.add_argument("study", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--mixes", type=int, default=16)
    options = parser.parse_args()
    {"train": train, "show": show}[options.action](options)


if __name__ == "__main__":
    main()
