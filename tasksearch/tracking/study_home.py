"""Where a study's runs are in MLflow, by their tags: people rename experiments, delete runs, and run two of one name.

Reads only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tasksearch.tracking.doubles import KEY

_PAGE, _EXPERIMENTS = 1000, 100


@dataclass(frozen=True, kw_only=True)
class StudyHome:
    """What MLflow has of one study.

    Attributes:
        experiment: that holds most of its runs, else the one of its name; None: neither is there. May be deleted.
        runs, deleted: the study's runs in it, active and deleted.
        elsewhere: active runs of the study in other experiments, that are not deleted.
    """

    experiment: Any | None
    runs: Sequence[Any]
    deleted: Sequence[Any]
    elsewhere: Sequence[Any]


def study_home(client: Any, name: str, study_id: str) -> StudyHome:
    """Looks for the study's runs in every experiment.

    Args:
        client: an `MlflowClient`.
        name: of the experiment that the study made.
        study_id: as its runs carry it.
    """
    from mlflow.entities import ViewType

    named = client.get_experiment_by_name(name)
    experiments = {str(e.experiment_id): e for e in _pages(client.search_experiments, view_type=ViewType.ALL)}
    if named is not None:
        experiments.setdefault(str(named.experiment_id), named)
    own, runs = f"tags.`tasksearch.study` = '{study_id}'", list[Any]()
    ids = sorted(experiments)
    for part in (ids[at : at + _EXPERIMENTS] for at in range(0, len(ids), _EXPERIMENTS)):
        runs += _pages(client.search_runs, experiment_ids=part, filter_string=own, run_view_type=ViewType.ALL)
    place = {run.info.run_id: str(run.info.experiment_id) for run in runs}
    active = [run for run in runs if run.info.lifecycle_stage == "active"]
    many, any_there = Counter(place[run.info.run_id] for run in active), set(place.values())

    def rank(experiment: Any) -> tuple[bool, int, bool, bool]:
        key = str(experiment.experiment_id)
        return experiment.lifecycle_stage == "active", many[key], key in any_there, experiment.name == name

    held = [e for key, e in experiments.items() if key in any_there or e.name == name]
    if not held:
        return StudyHome(experiment=None, runs=(), deleted=(), elsewhere=())
    home = max(held, key=rank)
    here = [run for run in runs if place[run.info.run_id] == str(home.experiment_id)]
    return StudyHome(
        experiment=home,
        runs=[run for run in here if run.info.lifecycle_stage == "active"],
        deleted=[run for run in here if run.info.lifecycle_stage != "active"],
        elsewhere=[
            run
            for run in active
            if (key := place[run.info.run_id]) != str(home.experiment_id) and experiments[key].lifecycle_stage == "active"
        ],
    )


def mended_lines(home: StudyHome, name: str, reparented: int) -> list[str]:
    """What people did to the study's runs, and what becomes of it.

    Args:
        reparented: runs that were hung under the study's parent run again.
    """
    lines = []
    if home.experiment is not None and home.experiment.name != name:
        lines.append(f"the study's experiment {name!r} is called {home.experiment.name!r} now; it goes on there")
    gone = {run.data.tags.get(KEY) for run in home.deleted} - {run.data.tags.get(KEY) for run in home.runs} - {None}
    if gone:
        lines.append(f"{len(gone)} of the study's runs were deleted; they are written again from the records")
    if reparented:
        lines.append(f"{reparented} runs stood under no run of the study; they stand under it again")
    if home.elsewhere:
        lines.append(
            f"{len(home.elsewhere)} runs of the study stand in another experiment; they are written here and deleted there"
        )
    return lines


def _pages(search: Callable[..., Any], **asked: Any) -> Iterator[Any]:
    """Every result, page after page."""
    token = None
    while True:
        page = search(**asked, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
