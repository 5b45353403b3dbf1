"""The study of layer `trainer`. Run as a program it is a driver: `python -m … FOLDER CONTEXT_JSON`.

Context: `count`, a folder in which every worker records the points it passes; or `point`, `occurrence` and `flag`: the first
worker that passes the point for that time kills itself, and the file `flag` records that it did.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from tasksearch.core.errors import TasksearchError
from tasksearch.core.study import StudyConfig
from tasksearch.records.ledger import Ledger
from tasksearch.study.locations import study_id
from tasksearch.study.run import configure
from tasksearch.study.setup import prepare

SNAPSHOT_STEPS = 5


def config() -> StudyConfig:
    """Return a study of eight short trainings of the lab."""
    return configure(
        name="torture-trainer",
        space="joint_vs_seq",
        targets=("retrieval", "topic"),
        languages=("near1",),
        phase1_steps=30,
        steps=(16,),
        trials=5,
        baseline_seeds=3,
        leaders=1,
        leader_seeds=2,
        most_seeds=2,
        target_steps=12,
        controls="none",
    )


def run(folder: Path, context: dict[str, Any]) -> None:
    """Run what the study in the folder still lacks, as `study.run` does."""
    from tasksearch.raytune.driver import run_trials
    from tasksearch.torture.trainee import TorturedTrainable
    from tasksearch.tracking.mlflow import MlflowTracker

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    asked, ledger = config(), Ledger(folder)
    setup = prepare(asked)
    tracker = MlflowTracker(None, folder, study_id(folder, asked.name), groups=setup.suite.groups)
    own = {"snapshots": [SNAPSHOT_STEPS, None], "torture": context}
    run_trials(
        ledger,
        asked,
        TorturedTrainable,
        setup.context(asked, folder) | own,
        sizes=setup.sizes,
        groups=setup.suite.groups,
        plan_of=setup.plan_of(asked),
        tracker=tracker,
        concurrency=2,
    )
    tracker.close_study({}, {}, complete=True)


if __name__ == "__main__":
    try:
        run(Path(sys.argv[1]), json.loads(sys.argv[2]))
    except TasksearchError as error:
        print(f"tasksearch: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
