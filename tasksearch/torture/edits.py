"""What people do to an Optuna study and its MLflow runs between two lives of the driver: queue, add, tell, rename, delete."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna

from tasksearch.engine.optuna_storage import open_storage
from tasksearch.records.ledger import Ledger
from tasksearch.torture.lives import Fate, fork
from tasksearch.torture.planted import NAME
from tasksearch.tracking.client import open_client
from tasksearch.tracking.database import file_of

IN_OPTUNA = ("enqueue", "add", "ask", "tell", "copy", "delete")
IN_MLFLOW = ("rename experiment", "delete run", "delete parent", "delete all", "add run", "retag")


def edit(folder: Path, draw: random.Random, *, tracked: bool) -> str | None:
    """Makes one edit in a fork, so that no connection is shared with later lives; says which. None: nothing was there yet."""
    what = draw.choice((*IN_OPTUNA, *IN_MLFLOW) if tracked else IN_OPTUNA)
    luck = draw.random()
    act: Callable[[], Any] = lambda: _in_optuna(folder, what, luck) if what in IN_OPTUNA else _in_mlflow(folder, what, luck)  # noqa: E731
    end = fork(act, Fate(), folder.with_name("edit.txt"))
    return what if end.code == 0 else None


def _in_optuna(folder: Path, what: str, luck: float) -> None:
    storage = open_storage(Ledger(folder).optuna_path)
    study = optuna.load_study(study_name=NAME, storage=storage)
    trials = study.get_trials()
    if what == "enqueue":
        study.enqueue_trial({"steps": 64})
    elif what == "add":
        study.add_trial(optuna.create_trial(value=1000.0 * luck))
    elif what == "ask":
        study.ask()
    elif what == "tell":
        for trial in trials[int(luck * len(trials)) :]:
            study.tell(trial.number, 1000.0 * luck, skip_if_finished=True)
    elif what == "copy":
        study.add_trials(trials)
    else:
        optuna.delete_study(study_name=NAME, storage=storage)


def _in_mlflow(folder: Path, what: str, luck: float) -> None:
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    path = file_of(uri)
    if path is None or not path.exists():
        raise FileNotFoundError(uri)
    client = open_client(uri)
    place = client.search_experiments(filter_string="name != 'Default'")[0].experiment_id
    runs = list(client.search_runs([place], "tags.`tasksearch.study` != ''"))
    one = runs[int(luck * len(runs))]
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    if what == "rename experiment":
        client.rename_experiment(place, f"renamed {luck}")
    elif what == "add run":
        client.create_run(place, tags={"mlflow.parentRunId": parents[0].info.run_id}, run_name="by hand")
    elif what == "retag":
        client.set_tag(one.info.run_id, "tasksearch.role", "by hand")
        client.delete_tag(one.info.run_id, "mlflow.parentRunId")
    else:
        gone = {"delete run": [one], "delete parent": parents, "delete all": runs}[what]
        for run in gone:
            client.delete_run(run.info.run_id)
