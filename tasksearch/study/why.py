"""`why_of`: effects of tasks, order and pairs in a study's languages, from its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasksearch.core.errors import StudyNotReady
from tasksearch.core.study import TrialRecord
from tasksearch.study.best import open_study
from tasksearch.study.coverage import check_languages
from tasksearch.tasks.suite import Suite


def why_of(folder: Path, languages: Sequence[str] = ()) -> Any:
    """A `core.why.Why`. It reads selection halves of the search's trainings alone, so it asks no question and needs no leader.

    Args:
        folder: of the study.
        languages: that must be covered.

    Raises:
        StudyNotReady: no study, no baseline, or too few mixes.
        LanguageNotCovered: a language that was not scored.
    """
    config, suite, records = open_study(folder)
    check_languages(suite, config.targets, records, languages)
    return why_from(records, suite)


def why_from(records: Sequence[TrialRecord], suite: Suite, table: Any = None) -> Any:
    """The same, from what was read of the study already; `table`: a `search.trained.Trained` of it."""
    from tasksearch.search.judging.why import why
    from tasksearch.search.objective import Baseline
    from tasksearch.search.trained import Trained

    table = table or Trained.of(records, Baseline.of(records))
    if table is None:
        raise StudyNotReady("no mix of the search is finished yet; effects of tasks are read from what was trained")
    return why(table, suite.groups, suite.language_groups)
