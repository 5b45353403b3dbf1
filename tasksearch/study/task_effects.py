"""`task_effects_of`: effects of tasks, of their order and of pairs, in a study's languages, read from its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasksearch.core.errors import StudyNotReady
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.study.best import open_study
from tasksearch.study.coverage import check_languages
from tasksearch.tasks.suite import Suite


def task_effects_of(folder: Path, languages: Sequence[str] = ()) -> Any:
    """Return the `results.task_effects.TaskEffects` of a study.

    They are estimated from the selection examples of the search's trainings only, so nothing is recorded in the holdout log
    and no finalist is needed.

    Args:
        folder: the study's folder.
        languages: languages that must be covered.

    Raises:
        StudyNotReady: no study, no baseline, or too few mixes.
        LanguageNotCovered: a language that was not scored.
    """
    config, suite, records = open_study(folder)
    check_languages(suite, config.targets, records, languages)
    return why_from(config, records, suite)


def why_from(config: StudyConfig, records: Sequence[TrialRecord], suite: Suite, table: Any = None) -> Any:
    """Return the same from what is already read.

    Trials that ended at a guess (`StudyConfig.guesses`) are left out.

    Args:
        table: their `search.gain_table.GainTable`, if already computed.
    """
    from tasksearch.analysis.task_effects.effects import task_effects
    from tasksearch.search.collapse import without_guessing
    from tasksearch.search.fidelity import baseline_of_search
    from tasksearch.search.gain_table import GainTable
    from tasksearch.search.objective import Baseline

    if table is None:
        baseline = Baseline.of(baseline_of_search(records))
        table = GainTable.of(without_guessing(records, baseline, config.guesses), baseline)
    if table is None:
        raise StudyNotReady("no mix of the search is finished yet; effects of tasks are read from what was trained")
    return task_effects(table, suite.groups, suite.language_groups)
