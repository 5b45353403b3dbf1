"""All scores of a study as one long frame: a row per trial, target, language and half."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tasksearch.core.study import TrialRecord

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("trial", "role", "schedule", "seed", "target", "language", "half", "metric", "value", "examples")

TRIAL_COLUMNS = ("role", "status", "objective", "seconds", "kind", "schedule", "steps", "seed", "cause")


def score_rows(records: Iterable[TrialRecord]) -> list[dict[str, Any]]:
    """Rows in the order of trials, then of their score tables. `schedule` is the text of the mix, `value` is percent."""
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
    """One row per trial, indexed by its number; `share_TASK` is a task's share of the examples, 0 where it has none."""
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
            "schedule": record.plan.words if record.plan.soup or record.plan.extra_examples else str(record.plan.schedule),
            "steps": record.plan.schedule.steps,
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
    """The rows as a frame with `COLUMNS`; empty, with the same columns, for a study without scores."""
    import pandas as pd

    return pd.DataFrame(score_rows(records), columns=list(COLUMNS))
