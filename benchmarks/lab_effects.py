"""What intermediate tasks do in the lab: paired gains over the baseline, in two worlds and several seeds.

    python benchmarks/lab_effects.py --worlds 0 1 --seeds 5 --out lab_effects.jsonl

Trains every arm, writes one JSON line per training as it ends, and goes on where an earlier run stopped. Prints, for each
world and target, chance, the untrained encoder, the baseline (English; mean of the others, test split), each arm's gain with
a 95 % interval over seeds, and joint against sequential on equal examples. Every number is from a generated, code-mixed world.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from scipy.stats import t as student

from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import annealed_twin, sequential_twin
from tasksearch.lab.recipe import LabRecipe
from tasksearch.phases import ensure_lab, open_context, run_plan
from tasksearch.phases.lab_model import LabFolders, cache_folder
from tasksearch.tasks.lab_suite import LAB_WARNING, lab_suite

SHORT, LONG = lab_suite().steps
PAIRS = (("restate", "find"), ("find", "sort"), ("restate", "sort"))
LONGER = ("restate", "find", "sort")
FEW = ("restate", "entail", "find", "sort")
UNTRAINED = "untrained encoder"

Row = dict[str, Any]


def arms() -> dict[str, Schedule]:
    """Name → schedule. Twins of one pair see the same examples; only the order differs."""
    suite = lab_suite()
    table = {"none": Schedule.none(), UNTRAINED: Schedule.none()}
    table |= {card.name: Schedule.joint(Mixture.uniform(card.name), SHORT) for card in suite.intermediates}
    table |= {f"{name}, {LONG} steps": Schedule.joint(Mixture.uniform(name), LONG) for name in LONGER}
    table |= {"+".join(FEW): Schedule.joint(Mixture.uniform(*FEW), LONG)}
    for first, second in PAIRS:
        both = Mixture.uniform(first, second)
        table |= {
            f"{first}+{second}": Schedule.joint(both, LONG),
            f"{first}>{second}": sequential_twin(both, (first, second), LONG),
            f"{second}>{first}": sequential_twin(both, (second, first), LONG),
            f"{first}~{second}": annealed_twin(both, (first, second), LONG),
        }
    return table


def plan_of(arm: str, seed: int) -> Plan:
    suite = lab_suite()
    targets = tuple(card.name for card in suite.targets)
    return Plan(
        suite="lab", schedule=arms()[arm], targets=targets, languages=suite.languages, settings=suite.settings, seed=seed
    )


@lru_cache(maxsize=4)
def lab_of(world: int) -> LabFolders:
    return ensure_lab(LabRecipe(world_seed=world))


def untrained_model(lab: LabFolders, world: int) -> Path:
    """The same architecture, tokenizer and initial weights as phase 1 starts from."""
    from transformers import AutoTokenizer

    from tasksearch.phases.lab_model import lab_settings
    from tasksearch.phases.pretrain import fresh_model, save_pretrained

    folder = lab.model.with_name(f"untrained-{lab.model.name}")
    if not folder.exists():
        tokenizer = AutoTokenizer.from_pretrained(str(lab.data / "tokenizer"))
        save_pretrained(fresh_model(lab_settings(LabRecipe(world_seed=world)), tokenizer), tokenizer, folder)
    return folder


def train(world: int, arm: str, seed: int) -> Row:
    """One training: the plan's whole score table on the test split, and its cost."""
    lab = lab_of(world)
    model = untrained_model(lab, world) if arm == UNTRAINED else lab.model
    context = open_context(lab_suite(), str(lab.data), str(model), None, "cpu")
    plan = plan_of(arm, seed)
    wall, cpu = time.perf_counter(), time.process_time()
    result = run_plan(plan, context)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    scores = [[s.target, s.language, round(s.value, 3)] for s in result.scores if s.half == "report"]
    key = {"world": world, "arm": arm, "seed": seed, "plan": plan.signature, "model": context.pretrained.fingerprint}
    return key | {"scores": scores, "cpu": round(cpu, 2), "wall": round(wall, 2)}


# ---- tables


def means(rows: Iterable[Row], language: str | None = None) -> dict[tuple[int, str, str], dict[int, float]]:
    """(world, arm, target) → seed → percent: English, or the mean over the other languages."""
    table: dict[tuple[int, str, str], dict[int, float]] = {}
    for row in rows:
        by_target: dict[str, list[float]] = {}
        for target, code, value in row["scores"]:
            if code == language or (language is None and code != "en"):
                by_target.setdefault(target, []).append(value)
        for target, values in by_target.items():
            table.setdefault((row["world"], row["arm"], target), {})[row["seed"]] = statistics.fmean(values)
    return table


def paired(one: dict[int, float], other: dict[int, float]) -> tuple[float, float, int]:
    """Mean of one minus other over common seeds, half the width of its 95 % t interval, number of seeds."""
    seeds = sorted(one.keys() & other.keys())
    gaps = [one[seed] - other[seed] for seed in seeds]
    if len(gaps) < 2:
        return (gaps[0] if gaps else float("nan")), float("nan"), len(gaps)
    return (
        statistics.fmean(gaps),
        float(student.ppf(0.975, len(gaps) - 1)) * statistics.stdev(gaps) / len(gaps) ** 0.5,
        len(gaps),
    )


def chance_of(world: int, target: str) -> float:
    """Percent of a guess: uniform over labels; the most frequent tag; any one word of the context; one sentence of the pool."""
    from tasksearch.metrics.squad import em_f1
    from tasksearch.tasks.packed import packed_path, read_packed

    card = lab_suite().card(target)
    if card.chance is not None:
        return card.chance
    examples: list[Any] = read_packed(packed_path(lab_of(world).data, card, "near1", "test"), card)
    if card.kind == "tagging":
        tags = [tag for example in examples for tag in example.tags]
        return 100 * max(tags.count(tag) for tag in set(tags)) / len(tags)
    guesses = [[em_f1(word, [text for _, text in e.answers]) for word in e.context.split()] for e in examples]
    return 100 * statistics.fmean(statistics.fmean(each) for each in guesses)


def report(rows: list[Row]) -> Iterator[str]:
    """The whole report as Markdown lines."""
    yield f"*{LAB_WARNING}.*"
    zero_shot, english = means(rows), means(rows, "en")
    for world in sorted({row["world"] for row in rows}):
        yield from _world_table(world, zero_shot, english)
        yield from _order_table(world, zero_shot)


def _world_table(world: int, zero_shot: dict[Any, Any], english: dict[Any, Any]) -> Iterator[str]:
    targets = [card.name for card in lab_suite().targets if (world, "none", card.name) in zero_shot]
    names = [arm for arm in arms() if (world, arm, targets[0]) in zero_shot]
    yield f"\n### World {world}\n\n| mean of 7 languages, test | {' | '.join(targets)} |\n|---|{'---|' * len(targets)}"
    yield f"| chance | {' | '.join(f'{chance_of(world, t):.1f}' for t in targets)} |"
    for arm in ("none", UNTRAINED):
        for table, what in ((zero_shot, "zero-shot"), (english, "English")):
            cells = [_mean_sd(table.get((world, arm, t))) for t in targets]
            yield f"| {'baseline' if arm == 'none' else arm}, {what} | {' | '.join(cells)} |"
    for arm in names:
        if arm not in ("none", UNTRAINED):
            cells = [_gain(*paired(zero_shot[world, arm, t], zero_shot[world, "none", t])) for t in targets]
            yield f"| {arm} | {' | '.join(cells)} |"


def _order_table(world: int, zero_shot: dict[Any, Any]) -> Iterator[str]:
    yield f"\nJoint minus sequential, equal examples, world {world}:\n"
    targets = [card.name for card in lab_suite().targets]
    yield f"| | {' | '.join(targets)} |\n|---|{'---|' * len(targets)}"
    for first, second in PAIRS:
        for sequence, joint in itertools.product((f"{first}>{second}", f"{second}>{first}"), (f"{first}+{second}",)):
            if all((world, arm, targets[0]) in zero_shot for arm in (sequence, joint)):
                cells = [_gain(*paired(zero_shot[world, joint, t], zero_shot[world, sequence, t])) for t in targets]
                yield f"| {joint} − {sequence} | {' | '.join(cells)} |"


def _mean_sd(values: dict[int, float] | None) -> str:
    if not values:
        return "–"
    return f"{statistics.fmean(values.values()):.1f} ± {statistics.stdev(values.values()) if len(values) > 1 else 0:.1f}"


def _gain(gain: float, half: float, seeds: int) -> str:
    sure = "**" if abs(gain) > half else ""
    return f"{sure}{gain:+.1f}{sure} [{gain - half:+.1f}, {gain + half:+.1f}]" if seeds > 1 else f"{gain:+.1f}"


# ---- the run


def read_rows(path: Path) -> list[Row]:
    """Finished trainings; a line that was cut off by a crash is left out."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--worlds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--seeds", type=int, default=5, help="training seeds, from 0")
    parser.add_argument("--arms", default="", help="regular expression; default: all")
    parser.add_argument("--processes", type=int, default=2, help="of one thread each")
    parser.add_argument("--out", type=Path, default=Path("lab_effects.jsonl"))
    parser.add_argument("--report", action="store_true", help="only print the tables of what is there")
    options = parser.parse_args()
    for world in options.worlds:
        lab = lab_of(world)
        untrained_model(lab, world)
    names = [arm for arm in arms() if re.fullmatch(options.arms or ".*", arm) or arm == "none"]
    wanted = [(world, arm, seed) for seed in range(options.seeds) for world in options.worlds for arm in names]
    models = {world: lab_of(world).model for world in options.worlds}
    rows = [row for row in read_rows(options.out) if row["plan"] == _signature(row) and row["world"] in models]
    done = {(row["world"], row["arm"], row["seed"]) for row in rows}
    todo = [] if options.report else [key for key in wanted if key not in done]
    print(f"{len(todo)} trainings to do, {len(done)} done; cache {cache_folder()}", file=sys.stderr)
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool, options.out.open("a") as sink:
        for future in as_completed([pool.submit(train, *key) for key in todo]):
            rows.append(future.result())
            sink.write(json.dumps(rows[-1]) + "\n")
            sink.flush()
            print(
                f"{len(rows)}: world {rows[-1]['world']} {rows[-1]['arm']} seed {rows[-1]['seed']}, {rows[-1]['cpu']} s",
                file=sys.stderr,
            )
    print(
        f"{time.strftime('%Y-%m-%d')}, {platform.processor() or platform.machine()}, {options.processes} one-thread processes"
    )
    print("\n".join(report(rows)))


def _signature(row: Row) -> str:
    return plan_of(row["arm"], row["seed"]).signature if row["arm"] in arms() else ""


if __name__ == "__main__":
    main()
