"""DataFrames of a study: scores in long form, and trials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tasksearch.core.study import TrialRecord

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("trial", "role", "schedule", "seed", "target", "language", "half", "metric", "value", "examples")

TRIAL_COLUMNS = ("role", "status", "objective", "seconds", "kind", "schedule", "steps", "learning_rate", "seed", "cause")


def score_rows(records: Iterable[TrialRecord]) -> list[dict[str, Any]]:
    """Return one row per trial, target, language and half, in the order of trials. `schedule` is text, `value` percent."""
    return [
        {
            "trial": record.number,
            "role": record.role,
            "schedule": str(record.plan.schedule),
            "seed": record.plan.seed,
            "target": score.target,
            "language": score.language,
            "half": score.half,
            "metric": score.metric,
            "value": score.value,
            "examples": score.examples,
        }
        for record in sorted(records, key=lambda r: r.number)
        for score in record.scores
    ]


def trial_frame(records: Iterable[TrialRecord]) -> pd.DataFrame:
    """Return one row per trial, indexed by its number; `share_TASK` is a task's share of the examples, in [0, 1]."""
    import pandas as pd

    ordered = sorted(records, key=lambda r: r.number)
    tasks = sorted({task for record in ordered for task in record.plan.schedule.tasks})
    rows = [
        {
            "trial": record.number,
            "role": record.role,
            "status": record.status,
            "objective": record.objective,
            "seconds": None if record.ended is None else record.ended - record.started,
            "kind": record.plan.schedule.kind,
            "schedule": record.plan.words,
            "steps": record.plan.schedule.steps,
            "learning_rate": record.plan.learning_rate,
            "seed": record.plan.seed,
            "cause": record.cause,
            **{f"share_{task}": float(record.plan.schedule.share(task)) for task in tasks},
        }
        for record in ordered
    ]
    columns = ["trial", *TRIAL_COLUMNS, *(f"share_{task}" for task in tasks)]
    frame = pd.DataFrame(rows, columns=columns).set_index("trial")
    return frame.astype({"objective": float, "seconds": float})


def score_frame(records: Iterable[TrialRecord]) -> pd.DataFrame:
    """Return `score_rows` as a frame with `COLUMNS`; without scores it is empty with the same columns."""
    import pandas as pd

    return pd.DataFrame(score_rows(records), columns=list(COLUMNS))
