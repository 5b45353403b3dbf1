"""`portfolios_of`: one, two or three mixes that serve all languages of a study, read from its folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasksearch.core.errors import StudyNotReady
from tasksearch.core.study import TrialRecord
from tasksearch.records.ledger import Ledger
from tasksearch.results.verdict import RULES
from tasksearch.study.best import ask_question, is_complete, read_study


def first_rules(folder: Path) -> tuple[str, ...]:
    """Return the selection rules in the order in which they are tried on a study that no question was asked of yet."""
    return tuple(dict.fromkeys((Ledger(folder).config().select, *RULES)))


def portfolios_of(folder: Path, *, ask: bool = True, study: tuple[Any, list[TrialRecord]] | None = None) -> Any:
    """Return a study's portfolios: a `results.portfolio.Portfolios`.

    In a complete study the mixes with fresh seeds are compared on reporting examples. That is recorded in the holdout log as a
    question of its own (`records.holdout_log.PORTFOLIO`), after the study's headline question, whose numbers do not change.

    Args:
        folder: the study's folder.
        ask: whether the question may be asked. If False, reporting examples are read only if it was asked before with the same
            answer.
        study: the result of `read_study`, if it was called already.

    Raises:
        StudyNotReady: no study, no baseline, no finalist yet, or no language except English to serve.
    """
    from tasksearch.analysis.portfolio.portfolios import portfolios

    reading, records = study or read_study(folder)
    if not is_complete(folder, reading, records):
        return portfolios(reading, untested="the study is not complete")
    found = portfolios(reading)
    if not ask and not _asked_before(folder, found):
        return portfolios(reading, untested="`best --portfolio` asks that question")
    return dataclasses.replace(found, adaptive=_written_down(folder, reading, records, found))


def _asked_before(folder: Path, found: Any) -> bool:
    from tasksearch.records.holdout_log import PORTFOLIO, first_names, holdout_uses

    return any(q.rule == PORTFOLIO and q.choices == first_names(folder, _choices(found)) for q in holdout_uses(folder))


def _choices(found: Any) -> dict[str, str]:
    return {
        f"{language} of {one.size}": member.mix_signature
        for one in found.tested
        for member in one.members
        for language in member.languages
    }


def _written_down(folder: Path, reading: Any, records: Sequence[TrialRecord], found: Any) -> bool:
    """Record the question; return whether others, except the study's own first one, were asked before it."""
    from tasksearch.records.holdout_log import EVERY_RULE, PORTFOLIO, ask, headline, holdout_uses

    if headline(holdout_uses(folder)) is None:
        _headline(folder, reading, records)
    asked = ask(folder, PORTFOLIO, _choices(found), reading.evidence.cells)
    past = holdout_uses(folder)
    before = [q for q in past[: past.index(asked)] if q.complete]
    return any(q.adaptive and q.rule != EVERY_RULE for q in before)


def _headline(folder: Path, reading: Any, records: Sequence[TrialRecord]) -> None:
    """Ask the study's headline question, by the first rule that can choose."""
    for rule in first_rules(folder):
        try:
            ask_question(folder, reading, records, rule)
        except StudyNotReady:
            continue
        return
