"""`close_study`: what MLflow and Optuna are told at a study's end. Both name the verdict's mixes, as `best` does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasksearch.core.errors import StudyNotReady, TasksearchError
from tasksearch.core.study import SEARCHED, StudyConfig, TrialRecord
from tasksearch.results.verdict import Verdict
from tasksearch.tracking.port import Tracker
from tasksearch.tracking.verdict_entry import verdict_entry


def close_study(tracker: Tracker, ledger: Any, config: StudyConfig, database: Any, say: Callable[[str], None]) -> None:
    """Write the report, and close the study at the tracker with its verdict; name the verdict in the Optuna study.

    The report asks for the verdict by the rule that was asked for before, and that reading is recorded.

    Args:
        database: `engine.optuna_database.OptunaDatabase`; None: the journal in the study's folder.
        say: called with one line if the Optuna study could not be told.

    Raises:
        StudyNotReady: no trial beside the baseline is finished.
    """
    summary = search_summary(ledger.records(), config.name)
    files, verdict = _report(ledger.folder)
    if verdict is not None:
        summary |= verdict_entry(verdict)
        try:
            _tell_optuna(ledger, config, database, verdict)
        except (TasksearchError, OSError) as fault:
            say(f"the Optuna study does not name the verdict: {fault}")
    tracker.close_study(summary, files, complete=True)


def search_summary(records: list[TrialRecord], name: str) -> dict[str, float | str]:
    """Return the search's own summary. Fresh seeds are not ranked: the highest of them is luck.

    Raises:
        StudyNotReady: no trial beside the baseline is finished.
    """
    judged = [r for r in records if r.status == "done" and r.objective is not None]
    done = [r for r in judged if r.role in (*SEARCHED, "finalist")]
    if not done:
        raise StudyNotReady(f"study {name!r} has no finished trial beside the baseline")
    searched = [record for record in done if record.role != "finalist"]
    if not searched:
        return {"trials": float(len(done))}
    highest = max(searched, key=lambda record: record.objective or 0.0)
    return {
        "search/highest_objective": float(highest.objective or 0.0),
        "search.highest_objective": f"trial {highest.number}: {highest.plan.schedule}",
        "trials": float(len(done)),
    }


def _report(folder: Path) -> tuple[dict[str, Path], Verdict | None]:
    """Write the HTML report, to be stored with the study, and return it with its verdict.

    Neither is there if the report cannot be made: that must not turn a finished study into a failed one.
    """
    from tasksearch.study.report import FILE, write_report

    with suppress(TasksearchError):
        path, data = write_report(folder)
        return {FILE: path}, data.verdict
    return {}, None


def _tell_optuna(ledger: Any, config: StudyConfig, database: Any, verdict: Verdict) -> None:
    from tasksearch.engine.optuna_storage import name_verdict

    chosen = {
        choice.name: {"found": choice.finding, "schedule": str(choice.schedule), "mix": choice.mix_signature}
        for choice in verdict.choices
    }
    name, url = (database.name_of(config), database.url) if database else (config.optuna_name, None)
    with ledger.lock():
        name_verdict(ledger.optuna_path, name, url, {"rule": verdict.rule, "chosen": chosen})
