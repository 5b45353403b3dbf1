"""The sweep behind the preset `small` (`tasksearch/core/presets.py`): English dev alone, one seed, no intermediate phase.

    python benchmarks/presets.py --model MODEL --data ../shared/data --out benchmarks/logs/presets_small.jsonl

One JSON line a training: settings, score on English dev, CPU seconds. Lines that are in the file already are not trained again.
"""

import argparse
import dataclasses
import itertools
import json
import time
from pathlib import Path

from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.phases.context import open_context
from tasksearch.phases.run import run_plan
from tasksearch.tasks.catalogue import load_suite

CAP = 300
RATES, HEADS = (1e-4, 2e-4, 4e-4), (1.0, 10.0)
SHORT = {"batch_size": 32, "max_length": 128, "steps": 100, "features": "cls"}
GRID = [
    {"target": target, "learning_rate": rate, "head_lr_factor": head} | SHORT
    for target, rate, head in itertools.product(("sib200", "udpos", "uner"), RATES, HEADS)
]
GRID += [
    {"target": "xnli", "learning_rate": rate, "head_lr_factor": head} | SHORT | {"steps": 150, "features": features}
    for features, rate, head in (("cls", 1e-4, 10.0), ("pair-diff", 1e-4, 1.0), ("pair-diff", 3e-4, 10.0))
]
GRID += [
    {"target": "tydiqa", "learning_rate": 2e-4, "head_lr_factor": head}
    | SHORT
    | {"steps": 60, "batch_size": 16, "max_length": 256}
    for head in HEADS
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    suite = load_suite("lowres")
    context = open_context(suite, asked.data, asked.model, None)
    lines = asked.out.read_text().splitlines() if asked.out.exists() else []
    done = [json.loads(line)["settings"] for line in lines]
    for one in GRID:
        if one in done:
            continue
        own = {name: value for name, value in one.items() if name not in ("target", "features")}
        train = dataclasses.replace(suite.settings.target, epochs=None, precision="bf16", **own)
        settings = dataclasses.replace(
            suite.settings, target=train, target_overrides=(), features=one["features"], evaluation_examples=CAP
        )
        plan = Plan(suite="lowres", schedule=Schedule.none(), targets=(one["target"],), languages=("en",), settings=settings)
        began = time.process_time()
        scores = run_plan(plan, context).scores.values("select")
        row = {"settings": one, "dev": round(scores[one["target"], "en"], 1), "cpu_seconds": round(time.process_time() - began)}
        with asked.out.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(row, flush=True)


if __name__ == "__main__":
    main()
