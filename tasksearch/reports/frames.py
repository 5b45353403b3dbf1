"""All scores of a study as one long frame: a row per trial, target, language and half."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tasksearch.core.study import TrialRecord

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("trial", "role", "schedule", "seed", "target", "language", "half", "metric", "value", "examples")


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


def score_frame(records: Iterable[TrialRecord]) -> pd.DataFrame:
    """The rows as a frame with `COLUMNS`; empty, with the same columns, for a study without scores."""
    import pandas as pd

    return pd.DataFrame(score_rows(records), columns=list(COLUMNS))
