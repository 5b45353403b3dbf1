"""How long `tasksearch best` and `tasksearch report` take on a big finished study, as processes.

    python benchmarks/big_study.py                       # 500 trainings x 40 languages x 9 targets
    python benchmarks/big_study.py --documents 4         # the same, with four examples of each document
    python benchmarks/big_study.py --trials 60 --keep /tmp/small

The study is synthetic: suite `xtreme`'s nine targets, each in all of its forty languages (more cells than XTREME has), five
seeds of the baseline, the designed trials, random mixes of the default space, and finalists on fresh seeds; additive effects of
tasks, noise over seeds, per-example outcomes of both halves. `cold` finds no cache of score tables, `warm` finds one (a run
leaves it behind). A time is that of the whole process, imports and all, with one BLAS thread. Bytecode is compiled first, as
installing does it; the files of the study are in memory. Each line is the median of some runs, then the shortest and longest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import HALVES, Score, ScoreTable
from tasksearch.core.space import SearchSpace, decode
from tasksearch.core.study import Objective, StudyConfig, TrialRecord
from tasksearch.records.ledger import Ledger
from tasksearch.search.designed_trials import designed_trials
from tasksearch.search.finalists import choose_finalists
from tasksearch.search.objective import Baseline, objective
from tasksearch.search.random_schedules import random_params
from tasksearch.tasks.catalogue import load_suite

TARGETS = ("bucc2018", "mlqa", "panx", "pawsx", "tatoeba", "tydiqa", "udpos", "xnli", "xquad")
TASKS = ("ccg", "commonsense_qa", "cosmos_qa", "hellaswag", "mnli", "qamr", "qqp", "siqa", "squad")
BASELINE, LEADERS, FRESH = 5, 3, 3


class Planted:
    """Writes records and outcomes of trainings whose latent score is a sum over tasks, cells and luck."""

    def __init__(self, folder: Path, languages: tuple[str, ...], examples: int) -> None:
        self.ledger, self.languages, self.examples = Ledger(folder), languages, examples
        self.cells = [(target, language) for target in TARGETS for language in languages]
        rng = np.random.default_rng(0)
        self.level = rng.uniform(-0.5, 1.0, size=len(self.cells))
        self.effect = rng.normal(size=(len(TASKS), 1)) * 0.1 + rng.normal(size=(len(TASKS), len(self.cells))) * 0.05
        self.ease = {half: rng.normal(size=(len(self.cells), examples)).astype(np.float32) for half in HALVES}
        self.records: list[TrialRecord] = []

    def plan(self, schedule: Schedule, seed: int) -> Plan:
        return Plan(
            suite="xtreme", schedule=schedule, targets=TARGETS, languages=self.languages, settings=PhaseSettings(), seed=seed
        )

    def train(self, schedule: Schedule, seed: int, role: str) -> None:
        number = len(self.records)
        rng = np.random.default_rng([1, number])
        share = np.sqrt([float(schedule.share(task)) for task in TASKS])
        latent = self.level + share @ self.effect + 0.03 * rng.normal() + 0.03 * rng.normal(size=len(self.cells))
        outcomes, rows = {}, []
        for half in HALVES:
            noise = 0.35 * rng.standard_normal((len(self.cells), self.examples), dtype=np.float32)
            right = latent[:, np.newaxis] + self.ease[half] + noise > 0
            for (target, language), row in zip(self.cells, right, strict=True):
                found: NDArray[np.float32] = np.stack([row, np.ones(len(row))], axis=1).astype(np.float32)
                outcomes[target, language, half] = found
                value = 100 * float(row.mean())
                rows.append(
                    Score(
                        target=target,
                        language=language,
                        half=half,
                        metric="accuracy",
                        value=value,
                        examples=len(row),
                        seed=seed,
                    )
                )
        self.records.append(
            TrialRecord(
                number=number,
                role=role,  # type: ignore[arg-type]
                status="done",
                plan=self.plan(schedule, seed),
                scores=ScoreTable.of(rows),
                started=float(number),
                ended=number + 0.9,
                seconds=(("intermediate", 300.0), ("target", 500.0), ("evaluation", 100.0)),
                facts=(("device", "planted"), ("torch", "none")),
            )
        )
        self.ledger.write_outcomes(number, outcomes)

    def judge(self, groups: dict[str, str]) -> None:
        """Objectives, as a run would have written them."""
        baseline = Baseline.of(self.records)
        self.records = [replace(r, objective=objective(r.scores, baseline, groups, Objective())) for r in self.records]


def write_study(folder: Path, trials: int, languages: int, examples: int, documents: int) -> None:
    """A finished study of so many trainings; `documents`: examples of each document, 0: none is known."""
    suite = load_suite("xtreme")
    spoken = ("en", *[language for language in suite.languages if language != "en"][: languages - 1])
    space = SearchSpace(name="big", summary="", tasks=TASKS, steps=(96, 192))
    planted = Planted(folder, spoken, examples)
    for seed in range(BASELINE):
        planted.train(Schedule.none(), seed, "baseline")
    search = trials - LEADERS * FRESH
    for schedule, role in _mixes(space, search - BASELINE):
        planted.train(schedule, 0, role)
    planted.judge(suite.groups)
    config = StudyConfig(
        name="big", space=space, suite="xtreme", model="planted", targets=TARGETS, languages=spoken, trials=search,
        baseline_seeds=BASELINE, leaders=LEADERS, leader_seeds=FRESH, most_seeds=FRESH,
    )  # fmt: skip
    planted.ledger.save_config(config)
    for finalist in choose_finalists(config, planted.records, suite.groups):
        for seed in range(100, 100 + FRESH):
            planted.train(finalist.record.plan.schedule, seed, "finalist")
    for record in planted.records:
        planted.ledger.write(record)
    if documents:  # the same in every language, as translated test sets have them
        numbers = np.arange(examples) // documents
        planted.ledger.write_documents({(*cell, half): numbers for cell in planted.cells for half in HALVES})


def _mixes(space: SearchSpace, count: int) -> Iterator[tuple[Schedule, str]]:
    found = {
        design.schedule: "design" for design in designed_trials(space, {task: 1000 * i for i, task in enumerate(TASKS, 1)})
    }
    rng = random.Random(0)
    while len(found) < count:
        if (schedule := decode(space, random_params(space, rng))) is not None:
            found.setdefault(schedule, "search")
    yield from list(found.items())[:count]


def timed(scratch: Path, *words: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MiB of one process of the command line."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(scratch / "bytecode")
    subprocess.run([sys.executable, "-m", "tasksearch", *words], check=True, stdout=subprocess.DEVNULL, env=environment)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, spent, after.ru_maxrss / 1024


def told(seconds: list[float]) -> str:
    """`1.52 [1.49, 1.60]`: median, shortest and longest."""
    return f"{statistics.median(seconds):5.2f} [{min(seconds):.2f}, {max(seconds):.2f}]"


def processor() -> str:
    """Its name, where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--languages", type=int, default=40)
    parser.add_argument("--examples", type=int, default=200, help="of each cell and half")
    parser.add_argument("--documents", type=int, default=0, help="examples of each document; 0: documents are not known")
    parser.add_argument("--runs", type=int, default=5, help="of each command, after one that is not counted")
    parser.add_argument("--keep", type=Path, help="folder to write the study to, and to use again if it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch) / "study"
        if not (folder / "study.json").exists() or not list(folder.glob("trials/*.json")):
            write_study(folder, options.trials, options.languages, options.examples, options.documents)
        (folder / "readings.json").unlink(missing_ok=True)  # a kept study may have been read by another version
        count = len(json.loads((folder / "trials" / "0000.json").read_text())["scores"])
        print(
            f"{date.today()} · {processor()} · {options.trials} trainings x {count} scores, "
            f"{'with' if Ledger(folder).documents() else 'no'} documents; load {os.getloadavg()[0]:.1f} before"
        )
        for name in ("cold", "warm"):
            for command in ("best", "report"):
                measured = []
                for _ in range(1 + options.runs):
                    if name == "cold":
                        Ledger(folder).cache_path.unlink(missing_ok=True)
                    measured.append(timed(Path(scratch), command, str(folder)))
                walls, spent, peaks = (list(column) for column in zip(*measured[1:], strict=True))
                print(f"{name} {command:6} {told(walls)} s wall {told(spent)} s of a core {max(peaks):4.0f} MiB", flush=True)
        print(f"load {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
