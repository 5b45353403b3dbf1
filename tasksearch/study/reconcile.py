"""The end of a study: how many trials each of its books holds, which must be one number."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tasksearch.core.errors import TasksearchError
from tasksearch.core.study import StudyConfig


def counts_of(ledger: Any, config: StudyConfig, tracker: Any, database: Any = None) -> dict[str, int]:
    """Finished trials by book: the ledger, which is the truth, and its mirrors. -1 where a mirror does not answer.

    Args:
        database: `engine.optuna_database.Database` of the Optuna study; None: its journal.
    """
    from tasksearch.engine.optuna_storage import trials_in_optuna
    from tasksearch.tracking.lookup import statuses

    counts = {"ledger": sum(record.status != "running" for record in ledger.records()), "Optuna": -1, "MLflow": -1}
    with suppress(TasksearchError, OSError):
        name, url = (database.name_of(config), database.url) if database else (config.optuna_name, None)
        told = trials_in_optuna(ledger.optuna_path, name, url)
        counts["Optuna"] = sum(not text.startswith(("RUNNING", "WAITING")) for text in told.values())
    with suppress(TasksearchError, OSError):
        found = statuses(tracker.uri, config.name, tracker.study_id)
        counts["MLflow"] = sum(1 + text.count(" and ") for key, text in found.items() if key != "study" and text != "RUNNING")
    return counts
