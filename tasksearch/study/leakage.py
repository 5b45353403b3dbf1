"""The leakage check of a study, before it starts: compares its training data with its evaluation data."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tasksearch.core.study import StudyConfig
from tasksearch.study.pretraining_text import pretraining_text
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.leak_cache import known_leaks
from tasksearch.tasks.leak_sources import evaluated_by, pretraining, trained_by
from tasksearch.tasks.leakage import Leak, refuse_leaks
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.suite import Suite


@dataclass(frozen=True, kw_only=True)
class LeakageResult:
    """Result of checking a suite's data for leakage.

    Attributes:
        leaks: leaks found, the largest share first.
        trained: names of the training sets read.
        items: number of evaluation items read.
        absent: what was not checked because its files are missing: a task's training data, or a task in a language.
        targets: targets checked in at least one language.
    """

    leaks: tuple[Leak, ...]
    trained: tuple[str, ...]
    items: int
    absent: tuple[str, ...]
    targets: tuple[str, ...] = ()


def check_leakage(source: TaskSource, suite: Suite, config: StudyConfig) -> None:
    """Refuse a study whose evaluation data occur in its training data, or in its model's pretraining text if that is known.

    The lab's generated world is not checked, except for what a user's file adds to it; nor is anything with `allow_leakage`.
    Results are cached by the texts' hashes, so that a resume does not repeat the check.

    Raises:
        BadInput: as `refuse_leaks` does.
    """
    own = [
        suite.card(name) for name in config.targets if suite.world != "lab" or suite.card(name) not in load_suite("lab").cards
    ]
    if config.allow_leakage or not own:
        return
    targets = [suite.card(name) for name in config.targets]
    texts = chain.from_iterable(pretraining(place) for place in pretraining_text(config).places)
    trained = [*trained_by(source, [*(suite.card(name) for name in config.space.ingredients), *targets]), *texts]
    refuse_leaks(known_leaks(trained, evaluated_by(source, own, config.languages)))


def check_suite(
    source: TaskSource,
    suite: Suite,
    *,
    targets: Sequence[str] = (),
    languages: Sequence[str] = (),
    pretraining_texts: Sequence[Path] = (),
) -> LeakageResult:
    """Check every task of a suite whose data are there, and the given pretraining texts.

    Args:
        source: reads the suite's data.
        suite: its cards.
        targets, languages: those to check; empty: all.
        pretraining_texts: files or folders of text that the model was pretrained on.

    Raises:
        UnknownName, DataMissing, BadInput: one line each.
    """
    chosen = [suite.card(name) for name in targets] or list(suite.targets)
    texts = list(chain.from_iterable(pretraining(place) for place in pretraining_texts))
    trains = [card for card in (*suite.intermediates, *chosen) if card.trained]
    untrainable = [card for card in trains if source.missing(card, ())]
    trained = [*trained_by(source, [card for card in trains if card not in untrainable]), *texts]
    absent = [f"training data of {card.name}" for card in untrainable]
    evaluated = []
    for card in chosen:
        for language in [one for one in card.languages if not languages or one in languages]:
            if source.missing(card, (language,)) == source.missing(card, ()):
                evaluated += evaluated_by(source, [card], [language])
            else:
                absent.append(f"{card.name} {language}")
    return LeakageResult(
        leaks=known_leaks(trained, evaluated),
        trained=tuple(one.name for one in trained),
        items=sum(len(part.examples) for part in evaluated),
        absent=tuple(absent),
        targets=tuple(dict.fromkeys(part.task for part in evaluated)),
    )


def leakage_of(
    source: TaskSource, suite: Suite, cards: Sequence[TaskCard], languages: Sequence[str], texts: Sequence[Path]
) -> LeakageResult:
    """Return `check_suite` for cards whose data can be read, with no other training data than theirs."""
    targets = [card.name for card in cards if card.role == "target"]
    if not targets:
        return LeakageResult(leaks=(), trained=(), items=0, absent=())
    return check_suite(source, dataclasses.replace(suite, cards=tuple(cards)), targets=targets, languages=languages,
                       pretraining_texts=texts)  # fmt: skip
