"""The end of a study: what Optuna and MLflow hold of it, trial by trial, beside its records."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tasksearch.core.errors import TasksearchError
from tasksearch.core.signature import signature_of
from tasksearch.core.study import StudyConfig, TrialRecord


def counts_of(ledger: Any, config: StudyConfig, tracker: Any, database: Any = None) -> dict[str, int]:
    """Finished trials in the ledger, which is the truth, and how many of them Optuna and MLflow hold as it does.

    A trial counts where its plan, its end and its numbers are those of its record: one that was added there by hand, doubled,
    or told otherwise does not. -1 where a place does not answer.

    Args:
        database: `engine.optuna_database.Database` of the Optuna study; None: its journal.
    """
    records = shown_records(ledger, config)
    finished = [record for record in records if record.status != "running"]
    counts = {"ledger": len(finished), "Optuna": -1, "MLflow": -1}
    with suppress(TasksearchError, OSError):
        counts["Optuna"] = _in_optuna(finished, ledger, config, database)
    with suppress(TasksearchError, OSError):
        from tasksearch.tracking.lookup import recorded

        counts["MLflow"] = _in_mlflow(finished, recorded(tracker.uri, config.name, tracker.study_id))
    return counts


def shown_records(ledger: Any, config: StudyConfig) -> list[TrialRecord]:
    """The records as Optuna and MLflow are told them, with what trials gained when the study grew."""
    from tasksearch.engine.additions import Additions
    from tasksearch.records.additions import asked

    written = ledger.written()
    additions = Additions(ledger, config)
    return [additions.shown(record) for record in (asked(written, config) if ledger.history() else written)]


def _in_optuna(finished: list[TrialRecord], ledger: Any, config: StudyConfig, database: Any) -> int:
    from tasksearch.engine.optuna_storage import stored_trials
    from tasksearch.engine.optuna_trials import is_told

    name, url = (database.name_of(config), database.url) if database else (config.optuna_name, None)
    trials = stored_trials(ledger.optuna_path, name, url)
    return sum(record.number in trials and is_told(trials[record.number], record) for record in finished)


def _in_mlflow(finished: list[TrialRecord], runs: Mapping[int, list[tuple[str, str]]]) -> int:
    from tasksearch.tracking.entries import STATUS

    return sum(runs.get(record.number) == [(signature_of("record", record), STATUS[record.status])] for record in finished)
