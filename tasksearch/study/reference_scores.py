"""`reference_scores_of`: scores of chance, untrained encoder and baseline of a study, per target."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tasksearch.core.score import ENGLISH
from tasksearch.reports.data import ReferenceScores
from tasksearch.study.best import open_study
from tasksearch.study.contrasts import Contrasts


def reference_scores_of(folder: Path) -> tuple[ReferenceScores, ...]:
    """Return the scores that a study's gains are relative to; empty until one baseline seed is done.

    Raises:
        StudyNotReady: the folder holds no study.
    """
    from tasksearch.analysis.clustering import Documents
    from tasksearch.records.ledger import Ledger
    from tasksearch.search.fidelity import at_share

    config, suite, records = open_study(folder)
    ledger = Ledger(folder)
    documents = Documents.reporting(ledger.documents())
    contrasts = Contrasts.of(at_share(records, 1.0), cache(ledger.outcomes), suite.groups, documents, config.guesses)
    chance = suite.chance_over(language for language in config.languages if language != ENGLISH)
    return contrasts.references(chance, [r for r in records if r.role == "untrained" and r.status == "done"])


def untrained_scores(folder: Path, languages: tuple[str, ...]) -> dict[str, float] | None:
    """Return target → score of the untrained encoder in percent, averaged over the languages, on reporting examples.

    None if the study has no untrained encoder.
    """
    _, _, records = open_study(folder)
    bare = next((record for record in records if record.role == "untrained" and record.status == "done"), None)
    if bare is None:
        return None
    values: dict[str, list[float]] = {}
    for (target, language), value in bare.scores.values("report").items():
        if language in languages:
            values.setdefault(target, []).append(value)
    return {target: sum(found) / len(found) for target, found in values.items()}
