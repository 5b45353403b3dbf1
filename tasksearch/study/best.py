"""`best_of`: the verdict of a study, from its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.suite import Suite


def best_of(folder: Path, *, rule: str = "pivot-dev", languages: Sequence[str] | None = None) -> Any:
    """The best mix per language: a `core.verdict.Verdict`.

    Args:
        folder: of the study.
        rule: `pivot-dev`, `english-dev` or `target-dev`.
        languages: rows wanted; None: all.

    Raises:
        StudyNotReady: no study, no baseline, or no finalist yet.
        UnknownName: rule or language.
    """
    from tasksearch.search.ledger import Ledger
    from tasksearch.search.picking import pick

    ledger = Ledger(folder)
    config = ledger.config()
    suite = load_suite(config.suite)
    return pick(
        ledger.records(),
        ledger.outcomes,
        suite.groups,
        rule=rule,
        languages=languages,
        language_groups=suite.language_groups,
        objective=config.objective,
        same_data=suite.same_data,
    )


def open_study(folder: Path) -> tuple[StudyConfig, Suite, list[TrialRecord]]:
    """What a study was asked to do, its suite, and what came of its trials."""
    from tasksearch.search.ledger import Ledger

    ledger = Ledger(folder)
    config = ledger.config()
    return config, load_suite(config.suite), ledger.records()
