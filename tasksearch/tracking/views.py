"""Views of a study in MLflow's own pages, as its "share" button keeps them: in a tag of the experiment.

They hold columns, order and charts. Without one the runs page opens as a single collapsed row without a number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tasksearch.core.signature import signature_of
from tasksearch.core.study import BASELINES
from tasksearch.tracking.entries import FRESH, SHARE_OF_STEPS, safe_name

_TAG = "mlflow.sharedViewState."
_LONGEST = 5000
"""Characters that MLflow takes in a tag of an experiment."""
_SECTION = "tasksearch"


def view_keys(study_id: str) -> tuple[str, str]:
    """Return the keys of the table of all runs and of the charts that compare mixes."""
    name = signature_of("view", study_id)[:12]
    return f"tasksearch-{name}-runs", f"tasksearch-{name}-mixes"


def view_tags(study_id: str, tasks: Sequence[str], share: float = 1.0) -> dict[str, str]:
    """Return the experiment's tags for both views.

    The table lists every run of the study, trials side by side with it, the highest objective of the search first. The charts
    show every mix of the search and its finalists' fresh seeds: each task's share and the mean on selection examples, which all
    of them have. Where the search's trials have shorter target phases than its finalists, the charts show the short ones alone:
    means of trainings of different length do not compare.

    Args:
        tasks: every intermediate task of the space.
        share: of the target steps, that trials of the search run.
    """
    own = f"tags.`tasksearch.study` = '{study_id}'"
    shares = [safe_name(f"mix/{task}") for task in sorted(tasks)]
    numbers = ["objective", FRESH, "dev/all/mean", "seconds/total"]
    columns = [f"metrics.`{name}`" for name in numbers] + [
        f"params.`{name}`" for name in ("role", "schedule", "order", "steps")
    ]
    order = {"orderByKey": "metrics.`objective`", "orderByAsc": False}
    table = {"searchFilter": own, **order, "selectedColumns": columns + [f"params.`{name}`" for name in shares]}
    short = [f"params.`{SHARE_OF_STEPS}` = '{share:g}'"] if share < 1 else []
    trained = " and ".join([own, *short, *(f"params.role != '{role}'" for role in (*BASELINES, "untrained", "control"))])
    which = f", {share:g} of the target steps" if share < 1 else ""
    charts = [
        _chart(
            "PARALLEL",
            f"Shares of all tasks{which}",
            selectedParams=shares,
            selectedMetrics=["dev/all/mean"],
            showAllRuns=False,
        ),
        _chart(
            "SCATTER", f"Cost and mean on selection examples{which}", xaxis=_axis("seconds/total"), yaxis=_axis("dev/all/mean")
        ),
    ]
    section = {"uuid": _SECTION, "name": "Mixes", "display": True, "columns": 1, "cardHeight": 420}
    sections = [{**section, "isReordered": True, "deleted": False, "isGenerated": False}]
    mixes = {
        **table,
        "searchFilter": trained,
        "runsHiddenMode": "SHOW_ALL",
        "runListHidden": True,
        "compareRunCharts": charts,
        "compareRunSections": sections,
        "isAccordionReordered": True,
    }
    texts = {key: json.dumps(view) for key, view in zip(view_keys(study_id), (table, mixes), strict=True)}
    return {f"{_TAG}{key}": text for key, text in texts.items() if len(text) <= _LONGEST}


def _chart(kind: str, name: str, **fields: object) -> Mapping[str, object]:
    fixed = {"type": kind, "uuid": f"{_SECTION}-{kind.lower()}", "metricSectionId": _SECTION, "runsCountToCompare": 100}
    return {**fixed, "displayName": name, "deleted": False, "isGenerated": False, **fields}


def _axis(metric: str) -> dict[str, str]:
    return {"key": metric, "type": "METRIC"}
