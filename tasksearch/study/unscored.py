"""`best_for_unscored`: a mix for a language that a study never scored, from its other languages."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tasksearch.core.arguments import named_arguments
from tasksearch.core.folders import AnyPath
from tasksearch.records.ledger import Ledger
from tasksearch.results.unscored_language import UnscoredLanguage
from tasksearch.study.best import ask_question, open_suite, read_study
from tasksearch.study.coverage import LanguageNotCovered, scored_languages, scored_name
from tasksearch.tasks.languages import canonical, known_languages


def is_unscored(folder: AnyPath, language: str) -> bool:
    """Return whether the study scored other languages, and this is none of them nor a group, but a known one."""
    folder = Path(folder)
    scored = scored_languages(Ledger(folder).records())
    suite = open_suite(folder)[1]
    code = scored_name(language, scored)
    if not scored or code in scored or code in ("all", *suite.language_groups):
        return False
    return canonical(code) in known_languages() or any(code in card.languages for card in suite.targets)


@named_arguments
def best_for_unscored(
    folder: AnyPath, *, language: str, distances: dict[tuple[str, str], float] | None = None
) -> UnscoredLanguage:
    """Return the mix for a language that the study never scored, chosen and judged by those it did score.

    It reads the reporting examples as `best_of` by `pivot-dev` does, which is recorded in the study's holdout log.

    Args:
        folder: the study's folder.
        language: any of its codes.
        distances: (language, language) → distance; None: the combined distances of `tasksearch languages`, if it knows the
            language; a studied one that it does not know counts as the farthest. They count only as far as they would have
            helped where each studied language is left out. Empty: all studied languages count alike.

    Raises:
        StudyNotReady: no study, no finalist, or fewer than two studied languages.
    """
    from tasksearch.analysis.languages.distances import combined_distances
    from tasksearch.analysis.unscored_language import predict_unscored

    folder = Path(folder)
    config, suite = open_suite(folder)
    reading, records = read_study(folder)
    code = canonical(language)
    asked = ask_question(folder, reading, records, "pivot-dev")
    scored = scored_languages(records)
    if distances is None:
        known = combined_distances([*scored, code])
        distances = known if any(code in pair for pair in known) else {}
    found = predict_unscored(reading, code, distances)
    way = str(LanguageNotCovered(code, suite, config.targets, scored))
    return dataclasses.replace(found, adaptive=asked.adaptive, covered_by=way)
