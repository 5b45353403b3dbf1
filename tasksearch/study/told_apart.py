"""Which scores of an older study may be of another language's text (`core.told_apart`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.core.told_apart import any_before
from tasksearch.tasks.card import POOLED, TaskCard
from tasksearch.tasks.suite import Suite


def mistaken_note(suite: Suite, config: StudyConfig, folder: Path) -> str:
    """Return which scores of an older study not to use, in a sentence; empty where all can be used."""
    from tasksearch.records.ledger import Ledger
    from tasksearch.tasks.resolve import sharing

    cards = [suite.card(name) for name in config.targets]
    several = {
        card.name: shared
        for card in cards
        if (shared := sharing(card.source, {*config.languages} & {*card.languages}, {card.select_split, card.report_split}))
    }
    ledger = Ledger(folder)
    if not several or not any_before(records := ledger.written()):
        return ""
    records += [one for own in ledger.additions().values() for one in own]
    told = []
    for card in cards:
        shared = several.get(card.name, frozenset())
        large = sorted(language for language in shared if _may_be_large(card, language, config, records))
        told += [f"{card.name} in {', '.join(large)}"] if len(large) > 1 else []
    if not told:
        return ""
    return (
        f"{'; '.join(told)}: scored by a version that could take one language's text for another's where one file or hub data "
        "set holds both; do not use these numbers, train the study again (CHANGELOG.md)"
    )


def _may_be_large(card: TaskCard, language: str, config: StudyConfig, records: Sequence[TrialRecord]) -> bool:
    """Whether a portion of the language may have held as many examples as were cached.

    By the examples that the card counts; where it counts none, by those that were scored.
    """
    from tasksearch.tasks.selection_split import is_cut
    from tasksearch.tasks.source import LEAST_CACHED

    cap = config.overrides.evaluation_examples
    halves = 1 + is_cut(card, language)  # both halves of a single split are one portion
    if cap is not None and card.kind not in POOLED and cap * halves < LEAST_CACHED:
        return False
    splits = (card.select_split, card.report_split)
    counted = [count for one, split, count in card.expected if one == language and split in splits]
    if counted:
        return max(counted) >= LEAST_CACHED
    cell = (card.name, language)
    tables = ([score for score in record.scores if (score.target, score.language) == cell] for record in records)
    examples = {score.half: score.examples for score in next(filter(None, tables), [])}
    if cap is not None and card.kind in POOLED and cap in examples.values():
        return True  # a pool stays whole, however many of its sentences are scored
    return (sum(examples.values()) if halves > 1 else max(examples.values(), default=0)) >= LEAST_CACHED
