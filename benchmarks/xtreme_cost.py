"""What a study of suite `xtreme` takes: before targets of one recipe are trained once, after, and with a short search.

Nothing is read or trained.

    python benchmarks/xtreme_cost.py [TRIALS] [MILLISECONDS A STEP] [SHARES]

SHARES such as 0.5,0.25,0.125 are those of `--search-target-steps`.

The study's own proposals (results drawn at random) are unfolded into segments as `tasksearch plan` does it, with the
published numbers of training examples in place of files. Tokens of an example are assumed (`TOKENS`), MNLI's measured; hours
are steps times the milliseconds that are given. Bytes are those of XLM-R Large, without a budget.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.phases.segments import Surroundings, segments_of
from tasksearch.search.simulated_study import simulated_study
from tasksearch.study.configuration import configure
from tasksearch.study.settings import settings_of
from tasksearch.tasks.catalogue import load_suite
from tasksearch.training.order import stage_counts

TRAINING = {"xnli": 392_702, "pawsx": 49_401, "xquad": 87_599, "mlqa": 87_599, "tydiqa": 3_696, "udpos": 21_253, "panx": 20_000}
"""Target → published number of English training examples."""
INTERMEDIATE = {
    "anli_plus": 1_104_934, "mnli": 392_702, "qqp": 363_846, "squad1": 87_599, "squad2": 130_319, "hellaswag": 39_905,
    "ccg": 38_015, "cosmos_qa": 25_588, "commonsense_qa": 9_741,
}  # fmt: skip
TOKENS = {"xnli": 46, "pawsx": 60, "xquad": 180, "mlqa": 180, "tydiqa": 160, "udpos": 30, "panx": 14}
OF_PHASE_2 = 80  # tokens of an intermediate example, a guess over all tasks
BLOCKS, TABLE, ROWS = 304_000_000, 256_002_048, 30_000 * 1024  # numbers of XLM-R Large: blocks, table, rows that a text touches


def main(trials: int, milliseconds: float, shares: list[float]) -> None:
    suite = load_suite("xtreme")
    with tempfile.TemporaryDirectory() as data:
        targets = tuple(card.name for card in suite.targets if not card.needs and (card.name in TRAINING or not card.trained))
        config = configure(suite="xtreme", model="xlm-roberta-large", data=data, trials=trials, targets=targets)
    settings = settings_of(suite, config, None)
    cards = {name: suite.card(name) for name in config.targets}
    trained = {name: card.trained for name, card in cards.items()}
    languages = {name: tuple(one for one in config.languages if one in card.languages) for name, card in cards.items()}
    cells = [(name, one) for name, spoken in languages.items() for one in spoken]

    def plan_of(schedule: Schedule, seed: int) -> Plan:
        return Plan(
            suite="xtreme", schedule=schedule, targets=config.targets, languages=config.languages, settings=settings, seed=seed
        )

    def around(recipes: Mapping[str, str]) -> Surroundings:
        return Surroundings(
            model="any",
            training={name: name for name in config.space.tasks},
            recipes=recipes,
            evaluation=dict.fromkeys(cells, ()),
            numerics="any",
        )

    shared = {name: f"{card.train_sources} {card.kind} {card.labels}" for name, card in cards.items()}
    sizes = {task: INTERMEDIATE[task] for task in config.space.tasks}
    rows: dict[str, dict[str, float]] = {}
    for share in (1.0, *shares):
        asked = dataclasses.replace(config, search_target_steps=share)
        plans = [r.plan for r in simulated_study(asked, sizes, plan_of, suite.groups, 0, cells=cells)]
        count = {"of": len(plans)}
        if share == 1:
            each = around({name: name for name in cards})
            rows["before"] = _cost(plans, each, languages, trained, settings, once=False) | count
        name = "after" if share == 1 else f"and --search-target-steps {share:g}"
        rows[name] = _cost(plans, around(shared), languages, trained, settings, once=True) | count
    print(f"suite xtreme, space joint_vs_seq, {trials} trials, targets {', '.join(config.targets)}, one draw")
    print("| | trainings | steps, million | of them target phases | tokens, billion | store, GB | files | hours |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for told, mean in rows.items():
        hours = mean["steps"] * milliseconds / 3.6e6
        print(
            f"| {told} | {mean['of']:.0f} | {mean['steps'] / 1e6:.2f} | {mean['target'] / mean['steps']:.1%} | "
            f"{mean['tokens'] / 1e9:.1f} | {mean['bytes'] / 1e9:.0f} | {mean['files']:.0f} | {hours:.0f} |"
        )


def _cost(
    plans: list[Plan],
    around: Surroundings,
    languages: Mapping[str, tuple[str, ...]],
    trained: Mapping[str, bool],
    settings: Any,
    *,
    once: bool,
) -> dict[str, float]:
    seen: set[str] = set()
    total = dict.fromkeys(("steps", "target", "tokens", "bytes", "files"), 0.0)
    for plan in plans:
        chain, targets = segments_of(plan, around, languages_of=languages, trained=trained, shown_by=stage_counts)
        total["files"] += 3 if once else 2  # record and outcomes; all score tables in one file
        for one in chain:
            if one.signature in seen:
                continue
            seen.add(one.signature)
            total["steps"] += one.stage.steps
            total["tokens"] += one.stage.steps * settings.intermediate.batch_size * OF_PHASE_2
            moments = 2 * (BLOCKS + (ROWS if once else TABLE)) if one.carries else 0
            total["bytes"] += 4 * (BLOCKS + TABLE + moments)
            total["files"] += 4 + one.carries
        for segment in targets:
            if not once:
                total["files"] += 2 * len(segment.tables) + int(segment.trained)  # two files a table, and the training's cost
            if not segment.trained or (segment.signature if once else segment.signature + segment.target) in seen:
                continue
            seen.add(segment.signature if once else segment.signature + segment.target)
            own = plan.for_target(segment.target)
            steps = own.steps or max(1, round((own.epochs or 1.0) * TRAINING[segment.target] / own.batch_size))
            steps += -(-plan.extra_examples // own.batch_size)
            total["steps"] += steps
            total["target"] += steps
            total["tokens"] += steps * own.batch_size * TOKENS[segment.target]
    return total


if __name__ == "__main__":
    trials, milliseconds, shares = (*sys.argv[1:], *("60", "25", "0.5,0.25,0.125")[len(sys.argv) - 1 :])
    main(int(trials), float(milliseconds), [float(share) for share in shares.split(",")])
