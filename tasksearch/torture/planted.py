"""The study that is tortured: recorded scores, so that a trial takes milliseconds and every number is known in advance.

Run as a program it is a driver to be killed: `python -m tasksearch.torture.planted FOLDER CONTEXT_JSON`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tasksearch.core.errors import TasksearchError
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig
from tasksearch.records.ledger import Ledger
from tasksearch.study.locations import study_id

SIZES = {"ccg": 1000, "mnli": 4000, "qqp": 2000}
GROUPS = {"nli": "classification", "tag": "tagging"}
NAME = "torture"


def config(trials: int = 24, leaders: int = 2) -> StudyConfig:
    """Return a small study over three tasks, two targets and three languages."""
    space = SearchSpace(name=NAME, summary="", tasks=tuple(sorted(SIZES)), steps=(64, 128))
    return StudyConfig(
        name=NAME,
        space=space,
        suite="lab",
        model="lab",
        targets=tuple(sorted(GROUPS)),
        languages=("en", "far", "near"),
        trials=trials,
        baseline_seeds=3,
        leaders=leaders,
        leader_seeds=1,
    )


def plan_of(schedule: Schedule, seed: int) -> Plan:
    """Return the plan of a schedule in this study."""
    asked = config()
    return Plan(
        suite="lab", schedule=schedule, targets=asked.targets, languages=asked.languages, settings=PhaseSettings(), seed=seed
    )


def run_planted(folder: Path, concurrency: int, context: dict[str, Any], trials: int = 24) -> None:
    """Run what the study in the folder still lacks, through Ray and with MLflow, as `study.run` does."""
    from tasksearch.raytune.driver import run_trials
    from tasksearch.tracking.mlflow import MlflowTracker
    from trainables.recorded import RecordedTrainable

    ledger = Ledger(folder)
    tracker = MlflowTracker(None, folder, study_id(folder, NAME), groups=GROUPS)
    run_trials(
        ledger,
        config(trials),
        RecordedTrainable,
        context,
        sizes=SIZES,
        groups=GROUPS,
        plan_of=plan_of,
        tracker=tracker,
        concurrency=concurrency,
    )
    tracker.close_study({}, {}, complete=True)


if __name__ == "__main__":
    try:
        run_planted(Path(sys.argv[1]), 2, json.loads(sys.argv[2]))
    except TasksearchError as error:
        print(f"tasksearch: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
