"""CPU seconds of a built-in sampler: proposals, and looks while a result is missing, over long histories.

    python benchmarks/proposals.py [auto|tpe] [TRIALS ...]

Results are drawn at random; every trial has 160 scored cells. Times are process CPU times.
"""

from __future__ import annotations

import dataclasses
import random
import sys
import time

from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Score, ScoreTable
from tasksearch.core.space import SearchSpace, decode
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.search.proposals import Proposal, propose
from tasksearch.search.random_schedules import random_params

TASKS = ("ccg", "commonsense_qa", "cosmos_qa", "hellaswag", "mnli", "qamr", "qqp", "siqa", "squad")
SIZES = {task: 1000 * (place + 1) for place, task in enumerate(TASKS)}
TARGETS, LANGUAGES = tuple(f"t{i}" for i in range(4)), tuple(sorted(("en", *(f"l{i:02d}" for i in range(39)))))
SPACE = SearchSpace(
    name="joint_vs_seq", summary="", tasks=TASKS, steps=(64, 128), schedules=("joint", "sequential", "annealed")
)
ASKS, LOOKS = 5, 50


def config_of(trials: int, sampler: str) -> StudyConfig:
    return StudyConfig(
        name="x", space=SPACE, suite="lab", model="lab", targets=TARGETS, languages=LANGUAGES, trials=trials + 100, lag=4,
        sampler=sampler,
    )  # fmt: skip


def plan_of(schedule: Schedule, seed: int) -> Plan:
    return Plan(suite="lab", schedule=schedule, targets=TARGETS, languages=LANGUAGES, settings=PhaseSettings(), seed=seed)


def history(config: StudyConfig, trials: int) -> list[TrialRecord]:
    """Return finished trials: baseline and designs as the study proposes them, the others drawn at random."""
    records: list[TrialRecord] = []
    rng, seen = random.Random(0), set()
    while len(records) < trials:
        found = propose(config, SIZES, plan_of, len(records), records) if len(records) < 20 else None
        if isinstance(found, Proposal):
            role, plan, params = found.role, found.plan, found.params
        else:
            drawn = random_params(SPACE, rng)
            schedule = decode(SPACE, drawn)
            if schedule is None or schedule in seen:
                continue
            role, plan, params = "search", plan_of(schedule, 0), tuple(drawn.items())
        seen.add(plan.schedule)
        cells = [(target, language) for target in TARGETS for language in LANGUAGES]
        level = 0.0 if role == "baseline" else rng.gauss(0, 2)
        scores = ScoreTable.of(
            Score(target=t, language=lang, half="select", metric="accuracy", value=value, examples=200, seed=plan.seed)
            for t, lang in cells
            for value in [50 + level + rng.gauss(0, 2)]
        )
        scores = ScoreTable.from_json(scores.to_json())  # as a driver gets it from a worker
        records.append(
            TrialRecord(
                number=len(records),
                role=role,
                status="done",
                plan=plan,
                params=params,
                objective=rng.gauss(0, 1),
                scores=scores,
            )
        )
    return records


def main(counts: list[int], sampler: str) -> None:
    for trials in counts:
        config = config_of(trials, sampler)
        records = history(config, trials)
        spent = []
        for _ in range(ASKS):
            begin = time.process_time()
            found = propose(config, SIZES, plan_of, len(records), records)
            spent.append(time.process_time() - begin)
            assert isinstance(found, Proposal) and found.role == "search"
            records.append(
                dataclasses.replace(records[-1], number=found.number, role="search", plan=found.plan, params=found.params)
            )
        running = [*records, *(TrialRecord(number=len(records) + i, role="search", status="running", plan=records[-1].plan,
                                           params=records[-1].params) for i in range(4))]  # fmt: skip
        begin = time.process_time()
        for _ in range(LOOKS):
            propose(config, SIZES, plan_of, len(running), running)
        look = (time.process_time() - begin) / LOOKS
        print(
            f"{sampler}, {trials} trials: proposal {1000 * spent[0]:.0f} ms first, "
            f"{1000 * sum(spent[1:]) / (ASKS - 1):.0f} ms then; look {1000 * look:.2f} ms",
            flush=True,
        )


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.isdigit()] or ["tpe"]
    main([int(word) for word in sys.argv[1:] if word.isdigit()] or [100, 1000, 5000], words[0])
